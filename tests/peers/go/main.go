// SPDX-License-Identifier: Apache-2.0

// The Go peer: runs scenarios with rocketmq-client-go against one name server and prints one JSON
// line for each. "peer SCENARIO key=value..." runs one, "peer -" those on standard input.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

var scenarios = map[string]func(*session, *report) error{
	"send":   send,
	"push":   push,
	"feed":   feed,
	"member": member,
	"stream": stream,
}

func main() {
	good := true
	if len(os.Args) == 2 && os.Args[1] == "-" {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			good = runOne(strings.Fields(lines.Text())) && good
		}
	} else {
		good = runOne(os.Args[1:])
	}
	if !good {
		os.Exit(1)
	}
}

func runOne(words []string) bool {
	to := newReport()
	if len(words) == 0 || scenarios[words[0]] == nil {
		to.problem("usage: SCENARIO key=value..., with a scenario of send, push, feed, member, stream")
	} else {
		in := newSession(words[1:])
		if err := scenarios[words[0]](in, to); err != nil {
			to.problem(err.Error())
		}
		in.close()
	}
	fmt.Println(to.json())
	return len(to.Problems) == 0
}
