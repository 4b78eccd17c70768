// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// What differs from run to run in the text of an error.
var particulars = regexp.MustCompile(`[0-9.:>-]+`)

var statuses = map[primitive.SendStatus]string{
	primitive.SendOK:                "SEND_OK",
	primitive.SendFlushDiskTimeout:  "FLUSH_DISK_TIMEOUT",
	primitive.SendFlushSlaveTimeout: "FLUSH_SLAVE_TIMEOUT",
	primitive.SendSlaveNotAvailable: "SLAVE_NOT_AVAILABLE",
}

// stream is a producer and a consumer over whatever happens to the servers, with the library's own
// retries and time-outs; its files are as those of the Java scenario of that name.
func stream(in *session, _ *report) error {
	if _, err := in.queues(); err != nil { // without a route this client does not start
		return err
	}
	to := in.args["to"]
	taken, err := os.OpenFile(to+".taken", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer taken.Close()
	if err := in.streamConsumer(taken); err != nil {
		return err
	}
	if err := in.produce(to); err != nil {
		return err
	}
	for !exists(to + ".end") {
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func (s *session) streamConsumer(taken *os.File) error {
	c, err := rocketmq.NewPushConsumer(
		consumer.WithNsResolver(s.resolver()),
		consumer.WithGroupName(s.topic+"-"+s.args["name"]),
		consumer.WithInstance(s.args["name"]),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, c.Shutdown)
	everything := consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}
	err = c.Subscribe(s.topic, everything, func(_ context.Context,
		messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			fmt.Fprintf(taken, "%s %d\n", message.Body, time.Now().UnixMilli())
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return err
	}
	return c.Start()
}

func (s *session) produce(to string) error {
	sent, err := os.OpenFile(to+".sent", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer sent.Close()
	p, err := rocketmq.NewProducer(
		producer.WithNsResolver(s.resolver()),
		producer.WithGroupName(s.topic+"-producer-"+s.args["name"]),
		producer.WithInstanceName(s.args["name"]+"-producer"),
		producer.WithRetry(2))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, p.Shutdown)
	if err := p.Start(); err != nil {
		return err
	}
	pause := time.Duration(s.number("pause", 10)) * time.Millisecond
	for number := 0; !exists(to + ".enough"); number++ {
		name := fmt.Sprintf("%s.%d", s.args["name"], number)
		begin := time.Now().UnixMilli()
		result, err := p.SendSync(context.Background(), primitive.NewMessage(s.topic, []byte(name)))
		fmt.Fprintf(sent, "%s %d %d %s\n", name, begin, time.Now().UnixMilli(), outcomeOf(result, err))
		time.Sleep(pause)
	}
	return os.WriteFile(to+".done", nil, 0o644)
}

// outcomeOf is the status and the broker, or the error and no broker.
func outcomeOf(result *primitive.SendResult, err error) string {
	if err != nil {
		words := particulars.ReplaceAllString(err.Error(), "")
		return strings.Join(strings.Fields(words), "_") + " -"
	}
	if name, known := statuses[result.Status]; known {
		return name + " " + result.MessageQueue.BrokerName
	}
	return fmt.Sprintf("status_%d %s", result.Status, result.MessageQueue.BrokerName)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
