package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	socketDir  = "run"
	socketName = "backup.sock"
	// maxSocketPath is what every system takes as the address of a socket.
	maxSocketPath = 103
	// maxLine bounds what is read of the other side.
	maxLine = 1 << 16
	// readTimeout is how long a request may take to come; it is one line on the same machine.
	readTimeout = 10 * time.Second
)

// request is one line to the node.
type request struct {
	Dir string `json:"dir"` // absolute
}

// answer is one line back.
type answer struct {
	Report
	Error string `json:"error,omitzero"`
}

// Server makes backups for those who ask on the socket, one after the other.
type Server struct {
	source   Source
	log      *slog.Logger
	listener net.Listener
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// Serve begins to listen in the data folder, of which the caller must be the only node: what another one left there is removed.
func Serve(s Source, log *slog.Logger) (*Server, error) {
	dir := filepath.Join(s.DataDir, socketDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the backup socket: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a folder
		return nil, fmt.Errorf("close the folder of the backup socket to others: %w", err)
	}
	path, err := socketPath(s.DataDir)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove an old backup socket: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the backup socket: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	server := &Server{source: s, log: log, listener: l, stop: stop}
	server.running.Go(func() { server.accept(ctx) })
	return server, nil
}

// Close refuses further requests, cancels a backup that runs, waits for it and removes the socket.
func (s *Server) Close() error {
	s.stop()
	err := s.listener.Close()
	s.running.Wait()
	return err
}

func (s *Server) accept(ctx context.Context) {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.serve(ctx, conn)
	}
}

// serve answers one request.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetReadDeadline(time.Now().Add(readTimeout)) // fails only on a closed connection, which reading reports
	var r request
	var a answer
	err := readLine(conn, &r)
	if err == nil && !filepath.IsAbs(r.Dir) {
		err = errors.New("the folder must be absolute")
	}
	if err == nil {
		start := time.Now()
		if a.Report, err = write(ctx, s.source, r.Dir); err == nil {
			s.log.Info("a backup was written", "folder", r.Dir, "files", a.Files, "bytes", a.Bytes, "duration", time.Since(start))
		} else {
			s.log.Error("a backup could not be written", "folder", r.Dir, "error", err)
		}
	}
	if err != nil {
		a = answer{Error: err.Error()}
	}
	_ = writeLine(conn, a) // nobody waits for it any more
}

// Served reports whether a node that can be backed up runs on a data folder.
func Served(ctx context.Context, dataDir string) bool {
	path, err := socketPath(dataDir)
	if err != nil {
		return false
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	return err == nil && conn.Close() == nil
}

// Ask lets the node that runs on a data folder write a backup into dir, which must be empty or not there.
func Ask(ctx context.Context, dataDir, dir string) (Report, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Report{}, err
	}
	path, err := socketPath(dataDir)
	if err != nil {
		return Report{}, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return Report{}, fmt.Errorf("no node answers on %s: %w (name its data folder with --data; the folder of a node that is stopped can be copied as it is)", dataDir, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	var a answer
	err = writeLine(conn, request{Dir: absolute})
	if err == nil {
		err = readLine(conn, &a)
	}
	switch {
	case ctx.Err() != nil:
		return Report{}, ctx.Err()
	case err != nil:
		return Report{}, fmt.Errorf("the node ended before it answered, the backup is not complete: %w", err)
	case a.Error != "":
		return Report{}, errors.New(a.Error)
	}
	return a.Report, nil
}

// socketPath gives the shorter of the absolute and the relative path, since the address of a socket has a bound.
func socketPath(dataDir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, socketDir, socketName))
	if err != nil {
		return "", err
	}
	if wd, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(wd, path); err == nil && len(relative) < len(path) {
			path = relative
		}
	}
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("the path of the data folder is too long for a socket in it, %s; choose a shorter one", path)
	}
	return path, nil
}

func writeLine(conn net.Conn, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = conn.Write(append(line, '\n'))
	return err
}

func readLine(conn net.Conn, v any) error {
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, maxLine)
	if !lines.Scan() {
		return errors.Join(errors.New("the connection ended"), lines.Err())
	}
	return json.Unmarshal(lines.Bytes(), v)
}
