// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const waitLimit = 30 * time.Second

var tags = []string{"TagA", "TagB", "TagC"}

// The clients of one scenario: made for its name server and topic, shut down when it ends.
type session struct {
	args    map[string]string
	topic   string
	closers []func() error
}

func newSession(words []string) *session {
	args := map[string]string{}
	for _, word := range words {
		pair := strings.SplitN(word, "=", 2)
		args[pair[0]] = pair[len(pair)-1]
	}
	return &session{args: args, topic: args["topic"]}
}

func (s *session) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		_ = s.closers[i]()
	}
}

func (s *session) number(key string, otherwise int) int {
	if number, err := strconv.Atoi(s.args[key]); err == nil {
		return number
	}
	return otherwise
}

func (s *session) resolver() primitive.NsResolver {
	return primitive.NewPassthroughResolver(strings.Split(s.args["namesrv"], ";"))
}

// startedProducer doesn't retry, so that a refused send shows.
func (s *session) startedProducer() (rocketmq.Producer, error) {
	p, err := rocketmq.NewProducer(
		producer.WithNsResolver(s.resolver()),
		producer.WithGroupName(s.topic+"-producer"),
		producer.WithInstanceName(s.topic+"-producer"),
		producer.WithSendMsgTimeout(10*time.Second),
		producer.WithRetry(0))
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, p.Shutdown)
	return p, p.Start()
}

func (s *session) newPushConsumer(options ...consumer.Option) (rocketmq.PushConsumer, error) {
	c, err := rocketmq.NewPushConsumer(append(options,
		consumer.WithNsResolver(s.resolver()),
		consumer.WithGroupName(s.topic+"-push"),
		consumer.WithInstance(s.topic+"-push"),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))...)
	if err == nil {
		s.closers = append(s.closers, c.Shutdown)
	}
	return c, err
}

// queues waits until the topic's route has reached the name server.
func (s *session) queues() ([]*primitive.MessageQueue, error) {
	a, err := admin.NewAdmin(admin.WithResolver(s.resolver()))
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, a.Close)
	var found []*primitive.MessageQueue
	err = until("the route of "+s.topic, func() bool {
		found, err = a.FetchPublishMessageQueues(context.Background(), s.topic)
		return err == nil && len(found) > 0
	})
	return found, err
}

// until waits for a condition; the time is only the limit after which something is wrong.
func until(what string, condition func() bool) error {
	for end := time.Now().Add(waitLimit); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("waited %v for %s", waitLimit, what)
		}
	}
	return nil
}

func tagOf(number int) string {
	return tags[number%len(tags)]
}

// newMessage makes a numbered message: body NUMBER#TOPIC, key kNUMBER, tags in turn.
func newMessage(topic string, number int) *primitive.Message {
	message := primitive.NewMessage(topic, []byte(fmt.Sprintf("%d#%s", number, topic)))
	return message.WithTag(tagOf(number)).WithKeys([]string{fmt.Sprintf("k%d", number)})
}
