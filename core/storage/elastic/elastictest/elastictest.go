// Package elastictest gives tests an Elasticsearch of their own, which they may stop, pause, fill, and use the index names of Kuzzle in:
//
//	s := elastictest.Start(t)             // or with lines for elasticsearch.yml
//	c.Storage.Elasticsearch.Addresses = []string{s.URL}
//	s.Kill(); s.Start()                   // its data stays
//	s.Pause(); s.Resume()
//	s.Do("PUT", "/_cluster/settings", `{"persistent":{"search.max_buckets":10}}`)
//
// It is the server of .ci/elasticsearch/start at a free port, needs some 10 seconds and 0.6 GB of memory, and ends with the test, or with
// the process of the test: one for all tests of a package that can share it is best. Tests run it only where they have a server
// anyway, which is where SLUICE_TEST_ELASTICSEARCH is set. Only tests import this package.
package elastictest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serverEnv names the Elasticsearch that all tests share.
const serverEnv = "SLUICE_TEST_ELASTICSEARCH"

// Shared gives the address of the Elasticsearch that all tests share, in which they work in indexes of their own; without one
// the test is skipped, which CI never does.
func Shared(t testing.TB) string {
	t.Helper()
	address := os.Getenv(serverEnv)
	switch {
	case address != "":
	case os.Getenv("SLUICE_TEST_ALL") == "1":
		t.Fatalf("%s is not set: make elasticsearch starts a server", serverEnv)
	default:
		t.Skipf("no Elasticsearch: run make elasticsearch, then set %s=http://127.0.0.1:9200", serverEnv)
	}
	return address
}

// Server is an Elasticsearch of a test's own.
type Server struct {
	URL string

	t        testing.TB
	port     int
	settings string
	pid      int // 0 while it is killed
}

// Start starts a server, with more settings, until the test ends. Where there is no shared one the test is skipped.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	Shared(t)
	s := &Server{t: t, port: freePort(t), settings: strings.Join(settings, "\n")}
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", s.port)
	t.Cleanup(func() {
		s.Kill()
		if out, err := s.script("stop").CombinedOutput(); err != nil {
			t.Errorf("stop Elasticsearch: %v\n%s", err, out)
		}
	})
	s.start("")
	return s
}

// Start starts a killed server again, with the data it had.
func (s *Server) Start() {
	s.t.Helper()
	s.start("1")
}

func (s *Server) start(keep string) {
	s.t.Helper()
	out, err := s.script("start", "ELASTICSEARCH_KEEP="+keep).CombinedOutput()
	if err != nil {
		s.t.Fatalf("start Elasticsearch: %v\n%s", err, out)
	}
	var nodes struct {
		Nodes map[string]struct {
			Process struct {
				ID int `json:"id"`
			} `json:"process"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal([]byte(s.Do(http.MethodGet, "/_nodes/_local/process", "")), &nodes); err != nil {
		s.t.Fatal(err)
	}
	for _, n := range nodes.Nodes {
		s.pid = n.Process.ID
	}
}

// Kill ends the server at once, as a crash does.
func (s *Server) Kill() {
	s.t.Helper()
	if s.pid == 0 {
		return
	}
	s.signal(syscall.SIGKILL)
	s.pid = 0
	for !isFree(s.port) {
		time.Sleep(10 * time.Millisecond)
	}
}

// Pause lets the server take connections and answer nothing, until Resume.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	s.t.Helper()
	s.signal(syscall.SIGCONT)
}

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if s.pid == 0 {
		s.t.Fatal("Elasticsearch does not run")
	}
	if err := syscall.Kill(s.pid, signal); err != nil {
		s.t.Fatalf("signal Elasticsearch: %v", err)
	}
}

// Do sends a request of its own to the server, and gives the answer, which must be a success.
func (s *Server) Do(method, path, body string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true // a test that looks for goroutines left over shall find none
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, answer, err)
	}
	return string(answer)
}

// script runs a script of .ci/elasticsearch for the server.
func (s *Server) script(name string, environment ...string) *exec.Cmd {
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "../../../../.ci/elasticsearch", name)
	cmd := exec.CommandContext(context.Background(), path) //nolint:gosec // the script is of this repository
	cmd.Env = append(os.Environ(),
		fmt.Sprintf("ELASTICSEARCH_PORT=%d", s.port), fmt.Sprintf("ELASTICSEARCH_OWNER=%d", os.Getpid()),
		"ELASTICSEARCH_SETTINGS="+s.settings, "ES_JAVA_OPTS=-Xms256m -Xmx512m -XX:TieredStopAtLevel=1") // which starts faster
	cmd.Env = append(cmd.Env, environment...)
	return cmd
}

// freePort gives a port that is free, as is the one that the server takes besides. It lies below those that systems give to
// connections.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(10_000) //nolint:gosec // it need not be secret
		if isFree(port) && isFree(port+100) {
			return port
		}
	}
	t.Fatal("no free port was found")
	return 0
}

func isFree(port int) bool {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
