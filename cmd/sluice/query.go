package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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

	"github.com/sluicehq/sluice/core/network/certs"
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
  sluice query --url https://127.0.0.1:7512 --ca ca.pem '{"controller":"server","action":"now"}'
  sluice query - < envelope.json`,
		Args: cobra.ExactArgs(1),
	}
	address := cmd.Flags().String("url", "http://127.0.0.1:7512", "the node: http://, https://, ws:// or wss://")
	authorities := cmd.Flags().String("ca", "", "PEM file of the authorities to trust, in place of the system's")
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
		trust := &tls.Config{MinVersion: tls.VersionTLS12}
		if *authorities != "" {
			var err error
			if trust.RootCAs, err = certs.Pool(*authorities); err != nil {
				return fmt.Errorf("--ca: %w", err)
			}
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), *timeout)
		defer cancel()
		answer, err := query(ctx, *address, trust, envelope)
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

func query(ctx context.Context, address string, trust *tls.Config, envelope []byte) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	switch u.Scheme {
	case "http", "https":
		return queryHTTP(ctx, u, trust, envelope)
	case "ws", "wss":
		return queryWebSocket(ctx, u, trust, envelope)
	default:
		return nil, fmt.Errorf("--url %s must begin with http://, https://, ws:// or wss://", address)
	}
}

func queryHTTP(ctx context.Context, u *url.URL, trust *tls.Config, envelope []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath("_query").String(), bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, noNode(u, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err == nil && resp.StatusCode == http.StatusBadRequest && bytes.HasPrefix(answer, []byte(tlsWanted)) {
		return nil, speaksTLS(u)
	}
	return answer, err
}

func queryWebSocket(ctx context.Context, u *url.URL, trust *tls.Config, envelope []byte) ([]byte, error) {
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust}
	conn, resp, err := dialer.DialContext(ctx, u.String(), nil)
	if resp != nil {
		defer resp.Body.Close()
	}
	if resp != nil && err != nil && resp.StatusCode == http.StatusBadRequest && u.Scheme == "ws" && resp.Proto == "HTTP/1.0" {
		return nil, speaksTLS(u)
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

// tlsWanted is how net/http answers who does not speak TLS where it is spoken, in HTTP/1.0.
const tlsWanted = "Client sent an HTTP request to an HTTPS server"

func speaksTLS(u *url.URL) error {
	return fmt.Errorf("%s speaks TLS; use --url %ss://%s", u.Host, u.Scheme, u.Host)
}

// noNode says what to do about a connection that cannot be made.
func noNode(u *url.URL, err error) error {
	if strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") || strings.Contains(err.Error(), "first record does not look like a TLS handshake") {
		return fmt.Errorf("%s does not speak TLS; use --url %s://%s", u.Host, strings.TrimSuffix(u.Scheme, "s"), u.Host)
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w; give its PEM file with --ca", err)
	}
	if strings.Contains(err.Error(), "connection refused") {
		return fmt.Errorf("nothing listens on %s; start a node with \"sluice serve\" or name another with --url", u.Host)
	}
	return err
}
