// SPDX-License-Identifier: BSD-2-Clause

// gopher: main.main, main.goOuter, main.goInner, main.goBurn, in the main goroutine and in another;
// with some garbage, so that the runtime's own threads work, too.
//
//	gopher SECONDS
package main

import (
	"os"
	"strconv"
	"time"
)

var sink uint64

//go:noinline
func goBurn(n uint64) uint64 {
	for i := uint64(0); i < 20000; i++ {
		n = n*31 + i
	}
	return n
}

//go:noinline
func goInner(until time.Time) uint64 {
	var sum uint64
	for time.Now().Before(until) {
		garbage := make([]byte, 1000)
		sum += goBurn(uint64(len(garbage))) + uint64(garbage[0])
	}
	return sum
}

//go:noinline
func goOuter(until time.Time) uint64 {
	return goInner(until) + 1
}

func main() {
	seconds := 1.0
	if len(os.Args) > 1 {
		if s, err := strconv.ParseFloat(os.Args[1], 64); err == nil {
			seconds = s
		}
	}
	until := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	done := make(chan uint64)
	go func() { done <- goOuter(until) }()
	sink += goOuter(until)
	sink += <-done
}
