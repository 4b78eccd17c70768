// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
)

// What a scenario saw: facts are the same against any server, notes are for a reader only,
// a problem is wrong by itself.
type report struct {
	Facts    map[string]interface{} `json:"facts"`
	Notes    map[string]interface{} `json:"notes"`
	Problems []string               `json:"problems"`
}

func newReport() *report {
	return &report{map[string]interface{}{}, map[string]interface{}{}, []string{}}
}

func (r *report) problem(text string) {
	r.Problems = append(r.Problems, text)
}

// must records a fact, and a problem when it is not what any server must give.
func (r *report) must(name string, wanted, value interface{}) {
	r.Facts[name] = value
	if wanted != value {
		r.problem(fmt.Sprintf("%s: wanted %v, got %v", name, wanted, value))
	}
}

func (r *report) json() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}
