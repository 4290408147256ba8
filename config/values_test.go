package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sluicehq/sluice/config"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]config.Size{
		"0": 0, "17": 17, "17B": 17, "1KB": 1024, "1 kb": 1024, "1KiB": 1024, "1.5MB": 3 << 19, " 2GB ": 2 << 30, "1tb": 1 << 40,
		"8388607TB": 8388607 << 40, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := config.ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "+1", "1XB", "1e3", "1,5MB", "8388608TB", "9223372036854775808", "99999999999999999999", "1.MB", "0x10", "1 M B"} {
		if got, err := config.ParseSize(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestParseTTL(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "1500": 1500 * time.Millisecond, "1h": time.Hour, "7 days": 7 * day, "1.5 Hours": 90 * time.Minute, ".5s": 500 * time.Millisecond,
		"2w": 14 * day, "1y": 8766 * time.Hour, "1 yr": 8766 * time.Hour, "10 mins": 10 * time.Minute, "5 msecs": 5 * time.Millisecond, "30S": 30 * time.Second,
	} {
		if got, err := config.ParseTTL(text); err != nil || got.Duration() != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	if got, err := config.ParseTTL("-1"); err != nil || !got.IsInfinite() || got.Milliseconds() != -1 || got.String() != "-1" {
		t.Errorf("-1: %v, %v; want Infinite", got, err)
	}
	for _, text := range []string{"", "h", "-2", "-1h", "1 fortnight", "1hs", "1sss", "1h30m", "1e3", "300y", "999999999999999", "٣h"} {
		if got, err := config.ParseTTL(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"1MB", "1.5 GB", "17", "-1", "8388608TB"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := config.ParseSize(text)
		if err != nil {
			return
		}
		if again, err := config.ParseSize(size.String()); size < 0 || err != nil || again != size {
			t.Errorf("%q is %d, which prints as %s and reads as %d, %v", text, size, size, again, err)
		}
	})
}

func FuzzParseTTL(f *testing.F) {
	for _, text := range []string{"1h", "7 days", "1500", "-1", ".5s", "292y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ttl, err := config.ParseTTL(text)
		if err != nil {
			return
		}
		if again, err := config.ParseTTL(ttl.String()); err != nil || again != ttl || ttl < 0 && ttl != config.Infinite {
			t.Errorf("%q is %d, which prints as %s and reads as %d, %v", text, ttl, ttl, again, err)
		}
	})
}

func TestValuesAsText(t *testing.T) {
	text, err := json.Marshal(map[string]any{"size": 3 * config.MB, "odd": config.Size(1025), "ttl": config.TTL(48 * time.Hour), "none": config.Infinite})
	if err != nil || string(text) != `{"none":"-1","odd":"1025","size":"3MB","ttl":"2d"}` {
		t.Errorf("%s, %v", text, err)
	}
	var back struct {
		Size config.Size
		TTL  config.TTL
	}
	if err := json.Unmarshal([]byte(`{"Size":"3MB","TTL":"2d"}`), &back); err != nil || back.Size != 3*config.MB || back.TTL.Duration() != 48*time.Hour {
		t.Errorf("%+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"TTL":"soon"}`), &back); err == nil {
		t.Error("a bad lifetime was read")
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	type holder struct {
		Open   config.Secret
		closed config.Secret
	}
	secret := config.NewSecret("hunter2")
	h := holder{secret, secret}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %v"} {
		fmt.Fprintf(&out, verb+"\n", secret)
		fmt.Fprintf(&out, verb+"\n", &secret)
		fmt.Fprintf(&out, verb+"\n", h)
		fmt.Fprintf(&out, verb+"\n", []config.Secret{secret})
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("log", "secret", secret, "struct", h, "pointer", &h)
	}
	if err := json.NewEncoder(&out).Encode([]any{secret, h, map[config.Secret]int{secret: 1}}); err != nil {
		t.Fatal(err)
	}
	text, _ := secret.MarshalText()
	out.Write(text)
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "68756e74657232") || !strings.Contains(out.String(), "***") {
		t.Error(out.String())
	}
	if secret.Reveal() != "hunter2" || !secret.IsSet() || config.NewSecret("").IsSet() || (config.Secret{}).IsSet() || (config.Secret{}).Reveal() != "" {
		t.Error("Reveal or IsSet is wrong")
	}
}
