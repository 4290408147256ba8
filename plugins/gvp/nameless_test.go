package main

import (
	"fmt"
	"strings"
	"testing"
)

// Attempts that name no account count against their address as others do, and their rows are bounded: a stranger does not fill
// the disk.
func TestAttemptsThatNameNoAccount(t *testing.T) {
	s := start(t, options{settings: map[string]any{"login": map[string]any{
		"throttle": map[string]any{"failuresPerMinute": 1}, "refusalsPerMinute": 2,
	}}})
	const asForm, asText = "Content-Type: application/x-www-form-urlencoded", "Content-Type: text/plain"
	for i, c := range []struct {
		name, body, contentType string
		status                  int
		outcome                 outcome
		detail                  string
	}{
		{"no JSON", `{`, "Content-Type: application/json", 400, invalidParameter, "body"},
		{"no form", `%zz`, asForm, 400, invalidParameter, "body"},
		{"another type", `{}`, asText, 400, invalidParameter, "body"},
		{"too large", strings.Repeat(" ", maxBodyBytes+1), "Content-Type: application/json", 413, invalidParameter, "body"},
		{"no name", `{"deviceType":1,"instanceId":25,"password":"x"}`, "Content-Type: application/json", 200, invalidParameter, "userName"},
		{"no such instance", body("ana", 999, password), "Content-Type: application/json", 200, invalidInstance, ""},
		{"no such type", strings.Replace(body("ana", 25, password), `:1,"inst`, `:9,"inst`, 1), "Content-Type: application/json", 200, invalidDeviceType, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i)
			before := len(s.rows())
			failed(t, s.login(c.body, from, c.contentType), c.status, c.outcome, c.detail)
			for range 5 {
				failed(t, s.login(c.body, from, c.contentType), 200, tooManyRequests, "")
			}
			failed(t, s.login(body("ana", 25, password), from), 200, tooManyRequests, "")
			rows := s.rows()[before:]
			if len(rows) != 1+2 || rows[0].StatusCode != c.outcome.code || rows[1].StatusCode != 38 || rows[2].StatusCode != 38 {
				t.Errorf("rows %+v", rows)
			}
			metrics := s.HTTP("GET", "/uniapi/metrics", "", s.root).Body
			for _, want := range []string{
				fmt.Sprintf("gvp_log_login_spared_total %d\n", 4*(i+1)), fmt.Sprintf("gvp_throttled_total %d\n", 6*(i+1)),
				fmt.Sprintf(`gvp_logins_total{result="TooManyRequests"} %d`+"\n", 6*(i+1)),
			} {
				if !strings.Contains(metrics, want) {
					t.Errorf("no %q", want)
				}
			}
		})
	}
	succeeded(t, s.login(body("ana", 25, password), fromES))
}

// 30 failures a minute from one address, whatever is wrong with them, when nothing is set.
func TestFailuresOfOneAddress(t *testing.T) {
	s := start(t, options{})
	answers := map[any]int{}
	for i := range 60 { // at 30 a minute, who is slow gets a few more
		a := s.login([]string{`{`, `{}`, body("ana", 999, "x")}[i%3], fromES)
		answers[a.Get("StatusCode")]++
	}
	if n := answers[38.0]; n == 0 || n > 30 || answers[2.0]+answers[39.0]+n != 60 || len(s.rows()) != 60 {
		t.Errorf("answers %v, %d rows", answers, len(s.rows()))
	}
}
