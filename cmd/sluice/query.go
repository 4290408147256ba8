package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/spf13/cobra"
)

// maxAnswerBytes bounds what query takes from a server.
const maxAnswerBytes = 64 << 20

func (a *app) queryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "query ENVELOPE",
		Short: "Send one request to a node and print the answer",
		Long: `Send one request envelope to a node, over HTTP (POST /_query) or WebSocket, and print the
answer. The envelope is JSON: {"controller":"…","action":"…", …}; "-" reads it from the
standard input. A token goes into its key "jwt". The exit code is 1 when the node refused it.`,
		Example: `  sluice query '{"controller":"server","action":"now"}'
  sluice query --url ws://127.0.0.1:7512 '{"controller":"server","action":"info"}'
  sluice query - < envelope.json`,
		Args: cobra.ExactArgs(1),
	}
	address := cmd.Flags().String("url", "http://127.0.0.1:7512", "the node: http://, https://, ws:// or wss://")
	timeout := cmd.Flags().Duration("timeout", 30*time.Second, "how long to wait for the answer")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		envelope := []byte(args[0])
		if args[0] == "-" {
			var err error
			if envelope, err = io.ReadAll(os.Stdin); err != nil {
				return fmt.Errorf("read the envelope: %w", err)
			}
		}
		if !json.Valid(envelope) {
			return errors.New("the envelope is not JSON")
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), *timeout)
		defer cancel()
		answer, err := query(ctx, *address, envelope)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(a.out, "%s\n", answer); err != nil {
			return err
		}
		var outcome struct {
			Status int `json:"status"`
		}
		if json.Unmarshal(answer, &outcome) == nil && outcome.Status >= http.StatusBadRequest {
			return fmt.Errorf("the node refused: status %d", outcome.Status)
		}
		return nil
	}
	return cmd
}

func query(ctx context.Context, address string, envelope []byte) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	switch u.Scheme {
	case "http", "https":
		return queryHTTP(ctx, u, envelope)
	case "ws", "wss":
		return queryWebSocket(ctx, u, envelope)
	default:
		return nil, fmt.Errorf("--url %s must begin with http://, https://, ws:// or wss://", address)
	}
}

func queryHTTP(ctx context.Context, u *url.URL, envelope []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath("_query").String(), bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, noNode(u, err)
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
}

func queryWebSocket(ctx context.Context, u *url.URL, envelope []byte) ([]byte, error) {
	conn, resp, err := websocket.DefaultDialer.DialContext(ctx, u.String(), nil)
	if resp != nil {
		defer resp.Body.Close()
	}
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, fmt.Errorf("%s answered %s instead of opening a WebSocket", u, resp.Status)
	}
	if err != nil {
		return nil, noNode(u, err)
	}
	defer conn.Close()
	conn.SetReadLimit(maxAnswerBytes)
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetReadDeadline(deadline) // fails only on a closed connection, which the next read reports
	}
	if err := conn.WriteMessage(websocket.TextMessage, envelope); err != nil {
		return nil, err
	}
	_, answer, err := conn.ReadMessage()
	if err != nil {
		return nil, fmt.Errorf("wait for the answer: %w", err)
	}
	_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")) // a courtesy
	return answer, nil
}

// noNode says what to do about a connection that cannot be made.
func noNode(u *url.URL, err error) error {
	if strings.Contains(err.Error(), "connection refused") {
		return fmt.Errorf("nothing listens on %s; start a node with \"sluice serve\" or name another with --url", u.Host)
	}
	return err
}
