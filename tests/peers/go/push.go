// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// What a consumer was given: how often each number came, and whether each queue kept its order.
type receipts struct {
	lock       sync.Mutex
	times      map[int]int
	lastOffset map[int]int64
	lastNumber map[int]int
	perTag     map[string]int
	total      int
	outOfOrder int
}

func (r *receipts) add(message *primitive.MessageExt) {
	number, err := strconv.Atoi(strings.SplitN(string(message.Body), "#", 2)[0])
	if err != nil {
		number = -1 // counted as unwanted
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	queue := message.Queue.QueueId
	offset, seen := r.lastOffset[queue]
	if seen && (offset >= message.QueueOffset || r.lastNumber[queue] >= number) {
		r.outOfOrder++
	}
	r.total++
	r.times[number]++
	r.lastOffset[queue] = message.QueueOffset
	r.lastNumber[queue] = number
	r.perTag[message.GetTags()]++
}

func (r *receipts) distinct() int {
	r.lock.Lock()
	defer r.lock.Unlock()
	return len(r.times)
}

// mustBe records that exactly the wanted ones of the numbers [0, n) came, each once.
func (r *receipts) mustBe(to *report, n int, wanted func(int) bool, ordered bool) {
	r.lock.Lock()
	defer r.lock.Unlock()
	missing, unwanted := 0, 0
	for i := 0; i < n; i++ {
		if wanted(i) && r.times[i] == 0 {
			missing++
		}
	}
	for number := range r.times {
		if number < 0 || number >= n || !wanted(number) {
			unwanted++
		}
	}
	to.Facts["received"] = r.total
	to.Facts["per_tag"] = r.perTag
	to.must("duplicates", 0, r.total-len(r.times))
	to.must("missing", 0, missing)
	to.must("unwanted", 0, unwanted)
	if ordered {
		to.must("out_of_order", 0, r.outOfOrder)
	}
}

// push has a push consumer get n messages, half sent before it starts, half while it runs.
func push(in *session, to *report) error {
	n := in.number("n", 200)
	p, err := in.startedProducer()
	if err != nil {
		return err
	}
	ctx := context.Background()
	for i := 0; i < n/2; i++ {
		if _, err := p.SendSync(ctx, newMessage(in.topic, i)); err != nil {
			return err
		}
	}
	queues, err := in.queues()
	if err != nil {
		return err
	}
	to.Facts["queues"] = len(queues)
	expression := in.args["tags"]
	if expression == "" {
		expression = "*"
	}
	got, err := startReceiver(in, expression, in.args["mode"] == "orderly")
	if err != nil {
		return err
	}
	for i := n / 2; i < n; i++ {
		if _, err := p.SendSync(ctx, newMessage(in.topic, i)); err != nil {
			return err
		}
	}
	return got.await(to, n, expression, in.args["mode"] == "orderly")
}

// receiveAll starts a consumer and waits for the n messages that were sent before.
func receiveAll(in *session, to *report, n int, expression string, orderly bool) error {
	got, err := startReceiver(in, expression, orderly)
	if err != nil {
		return err
	}
	return got.await(to, n, expression, orderly)
}

func startReceiver(in *session, expression string, orderly bool) (*receipts, error) {
	got := &receipts{times: map[int]int{}, lastOffset: map[int]int64{},
		lastNumber: map[int]int{}, perTag: map[string]int{}}
	c, err := in.newPushConsumer(consumer.WithConsumerOrder(orderly))
	if err != nil {
		return nil, err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: expression}
	err = c.Subscribe(in.topic, selector, func(_ context.Context,
		messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			got.add(message)
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return nil, err
	}
	return got, c.Start()
}

func (r *receipts) await(to *report, n int, expression string, orderly bool) error {
	wanted := wantedBy(expression)
	count := 0
	for i := 0; i < n; i++ {
		if wanted(i) {
			count++
		}
	}
	err := until(fmt.Sprintf("%d messages", count), func() bool { return r.distinct() >= count })
	r.mustBe(to, n, wanted, orderly)
	return err
}

func wantedBy(expression string) func(int) bool {
	if expression == "*" {
		return func(int) bool { return true }
	}
	chosen := map[string]bool{}
	for _, tag := range strings.Split(expression, "||") {
		chosen[strings.TrimSpace(tag)] = true
	}
	return func(number int) bool { return chosen[tagOf(number)] }
}
