// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// feed sends n numbered messages, so many a second, each until it is accepted.
func feed(in *session, to *report) error {
	p, err := in.startedProducer()
	if err != nil {
		return err
	}
	n, refused := in.number("n", 1000), 0
	pace := time.NewTicker(time.Second / time.Duration(in.number("rate", 500)))
	defer pace.Stop()
	for i := 0; i < n; i++ {
		<-pace.C
		err := until(fmt.Sprintf("message %d", i), func() bool {
			result, err := p.SendSync(context.Background(), newMessage(in.topic, i))
			accepted := err == nil && result.Status == primitive.SendOK
			if !accepted {
				refused++
			}
			return accepted
		})
		if err != nil {
			return err
		}
	}
	to.must("refused", 0, refused)
	return nil
}

// member is one consumer of a group, under a name of its own. It prints "MILLISECONDS NUMBER" for each
// message before it says that it has consumed it, and leaves when standard input ends.
func member(in *session, _ *report) error {
	if _, err := in.queues(); err != nil { // without a route this client does not start
		return err
	}
	c, err := rocketmq.NewPushConsumer(
		consumer.WithNsResolver(in.resolver()),
		consumer.WithGroupName(in.topic+"-members"),
		consumer.WithInstance(in.args["name"]),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	if err != nil {
		return err
	}
	in.closers = append(in.closers, c.Shutdown)
	everything := consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}
	err = c.Subscribe(in.topic, everything, func(_ context.Context,
		messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			number, err := strconv.Atoi(strings.SplitN(string(message.Body), "#", 2)[0])
			if err != nil {
				number = -1
			}
			fmt.Fprintf(os.Stdout, "%d %d\n", time.Now().UnixMilli(), number)
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
