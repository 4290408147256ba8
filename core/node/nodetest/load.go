package nodetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Clients is how many clients a Load has, each on a connection of its own, whatever the number of processors.
const Clients = 64

// ClientNetwork is where the addresses of the clients of a Load are.
const ClientNetwork = "192.0.2.0/24"

// ClientAddress is the header that says the address of a client, counted from 0.
func ClientAddress(client int) string { return fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", client+1) }

// Request is what a client of a Load sends.
type Request struct {
	Method, Path, Body string
	// Headers are "Name: value"; a body is JSON.
	Headers []string
	// Want stands in the body of every answer that is right; its status is 200.
	Want string
}

// Load is a benchmark of requests. It runs in the benchmark's process, on the processors that the node and its plugins use
// too.
type Load struct {
	// Request gives what a client, counted from 0, sends again and again.
	Request func(client int) Request
	// Hash computes one password hash as each request does in the binary; nil when requests have no password.
	Hash func()
}

// ServeLoad runs the binaries for a Load, with plugins.config.<plugin> and plugins.secrets.<plugin>. The bounds of the node that
// a load could reach are off: failed logins of an address, and the times for a call and for a start with many users to make.
// The requests a second that a profile allows stand in the profile. How many hashes may wait, together and for one address, is
// no setting: the clients have addresses of their own, and those of 64 clients may wait where there are two processors or more.
func (b Binaries) ServeLoad(t testing.TB, plugin string, config map[string]any, secrets map[string]string) *Process {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"server": map[string]any{"trustedProxies": []string{"127.0.0.0/8"}},
		"limits": map[string]any{"failedLoginsPerMinute": 0},
		"plugins": map[string]any{
			"dir": b.Plugins, "required": []string{plugin}, "callTimeout": "1m", "startTimeout": "1m",
			"config":  map[string]any{plugin: config},
			"secrets": map[string]any{plugin: secrets},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "settings.yaml") // JSON is YAML
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return b.Serve(t, "--config", file, "--data", filepath.Join(dir, "data"))
}

// Load has every client send its request, the next as soon as the answer is there, and reports
//
//	per_s           answers a second of all clients together
//	p50-ms, p99-ms  times from request to answer that so many percent of the answers keep
//	argon2id-share  with Hash: what part of the time of all processors went into hashes, as the cost of one, measured on
//	                one processor before the load, times the answers
//
// The first request of each client opens its connection and is not counted. An answer that is not right fails the benchmark.
func (c Client) Load(b *testing.B, l Load) {
	b.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: Clients, MaxIdleConnsPerHost: Clients}}
	defer client.CloseIdleConnections()
	requests := make([]Request, Clients)
	for i := range requests {
		requests[i] = l.Request(i)
		requests[i].Headers = append(requests[i].Headers, ClientAddress(i))
	}
	var first sync.Once // or every client would say the same
	send := func(i int) bool {
		err := c.send(client, requests[i])
		if err != nil {
			first.Do(func() { b.Error(err) })
		}
		return err == nil
	}
	var cost time.Duration
	if l.Hash != nil {
		cost = costOf(b, l.Hash)
	}
	together(func(i int) { send(i) })
	if b.Failed() {
		b.FailNow()
	}

	took, elapsed := measure(b, send)
	milliseconds := func(percent int) float64 { return took[(len(took)-1)*percent/100].Seconds() * 1000 }
	b.ReportMetric(float64(len(took))/elapsed.Seconds(), "per_s")
	b.ReportMetric(milliseconds(50), "p50-ms")
	b.ReportMetric(milliseconds(99), "p99-ms")
	b.ReportMetric(0, "ns/op") // leaves it out: per_s says it
	if l.Hash != nil {
		processors := elapsed.Seconds() * float64(runtime.NumCPU())
		b.ReportMetric(cost.Seconds()*float64(len(took))/processors, "argon2id-share")
	}
}

// measure has all clients send until the benchmark has enough, and gives how long each answer took, the shortest first. A
// client whose answer is not right sends no more.
func measure(b *testing.B, send func(client int) bool) (took []time.Duration, elapsed time.Duration) {
	began := time.Now()
	turns := make(chan struct{})
	byClient := make([][]time.Duration, Clients)
	var load sync.WaitGroup
	load.Go(func() {
		together(func(i int) {
			right := true
			for range turns {
				if !right {
					continue // but takes its turns, for which b.Loop waits
				}
				sent := time.Now()
				right = send(i)
				byClient[i] = append(byClient[i], time.Since(sent))
			}
		})
	})
	for b.Loop() {
		turns <- struct{}{}
	}
	close(turns)
	load.Wait()
	elapsed = time.Since(began)
	took = slices.Concat(byClient...)
	slices.Sort(took)
	return took, elapsed
}

// together runs do for each client at the same time.
func together(do func(client int)) {
	var all sync.WaitGroup
	for i := range Clients {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// costOf gives the processor time of one hash, the mean of several on one processor, with what they leave to the garbage
// collector. Unlike the time that passes, it does not grow with what else the machine does.
func costOf(b *testing.B, hash func()) time.Duration {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const runs = 16
	began := processorTime(b)
	for range runs {
		hash()
	}
	return (processorTime(b) - began) / runs
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// send may be called from any goroutine.
func (c Client) send(client *http.Client, r Request) error {
	req, err := http.NewRequestWithContext(c.T.Context(), r.Method, "http://"+c.Address+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return err
	}
	if r.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range r.Headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), r.Want) {
		return fmt.Errorf("%s %s: %d %s", r.Method, r.Path, resp.StatusCode, body)
	}
	return nil
}
