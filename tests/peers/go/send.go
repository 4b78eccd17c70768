// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

const (
	inFlight  = 64
	batchSize = 10
)

// Send results, collected from any goroutine.
type outcome struct {
	lock     sync.Mutex
	statuses map[string]int
	ids      map[int]int
	failures []string
}

func (o *outcome) add(result *primitive.SendResult, err error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if err != nil {
		o.failures = append(o.failures, err.Error())
		return
	}
	o.statuses[statusName(result.Status)]++
	o.ids[len(strings.Split(result.OffsetMsgID, ","))]++
}

func statusName(status primitive.SendStatus) string {
	if status == primitive.SendOK {
		return "SEND_OK"
	}
	return fmt.Sprintf("status %d", status)
}

// send sends n messages to a new topic in one of the client's ways (mode).
func send(in *session, to *report) error {
	p, err := in.startedProducer()
	if err != nil {
		return err
	}
	n := in.number("n", 100)
	seen := &outcome{statuses: map[string]int{}, ids: map[int]int{}, failures: []string{}}
	if err := sendBy(in.args["mode"], p, in.topic, n, seen); err != nil {
		return err
	}
	queues, err := in.queues()
	if err != nil {
		return err
	}
	to.Facts["queues"] = len(queues)
	to.Facts["statuses"] = seen.statuses
	to.Facts["ids_per_result"] = seen.ids
	to.must("failures", 0, len(seen.failures))
	return receiveAll(in, to, n, "*", false)
}

func sendBy(mode string, p rocketmq.Producer, topic string, n int, seen *outcome) error {
	ctx := context.Background()
	switch mode {
	case "sync":
		for i := 0; i < n; i++ {
			seen.add(p.SendSync(ctx, newMessage(topic, i)))
		}
	case "oneway":
		for i := 0; i < n; i++ {
			if err := p.SendOneWay(ctx, newMessage(topic, i)); err != nil {
				return err
			}
		}
	case "batch":
		for i := 0; i < n; i += batchSize {
			var batch []*primitive.Message
			for j := i; j < i+batchSize; j++ {
				batch = append(batch, newMessage(topic, j))
			}
			seen.add(p.SendSync(ctx, batch...))
		}
	case "async":
		return sendAsync(p, topic, n, seen)
	default:
		return fmt.Errorf("mode=%s", mode)
	}
	return nil
}

func sendAsync(p rocketmq.Producer, topic string, n int, seen *outcome) error {
	room := make(chan struct{}, inFlight)
	var open sync.WaitGroup
	for i := 0; i < n; i++ {
		room <- struct{}{}
		open.Add(1)
		err := p.SendAsync(context.Background(),
			func(_ context.Context, result *primitive.SendResult, err error) {
				seen.add(result, err)
				<-room
				open.Done()
			}, newMessage(topic, i))
		if err != nil {
			return err
		}
	}
	open.Wait()
	return nil
}
