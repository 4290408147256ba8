package kerror_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sluicehq/sluice/protocol/kerror"
)

var placeholder = regexp.MustCompile(`\{(\d+)\}`)

func TestCatalogue(t *testing.T) {
	ids, codes := map[string]bool{}, map[uint32]string{}
	all := kerror.All()
	if len(all) < 280 {
		t.Fatalf("the catalogue has %d rows only", len(all))
	}
	for _, d := range all {
		if ids[d.ID] {
			t.Errorf("the id %s is there twice", d.ID)
		}
		if other, taken := codes[d.Code]; taken {
			t.Errorf("%s and %s have the code %#x", d.ID, other, d.Code)
		}
		ids[d.ID], codes[d.Code] = true, d.ID
		if d.Code>>24 > 8 || d.Code&0xffff == 0 || strings.Count(d.ID, ".") != 2 {
			t.Errorf("%s: code %#x or id is malformed", d.ID, d.Code)
		}
		if d.Class.Status() == 500 && !internal[d.Class] {
			t.Errorf("%s: unknown class %q", d.ID, d.Class)
		}
		if kerror.Lookup(d.ID) != d {
			t.Errorf("%s is not found by its id", d.ID)
		}
		if d.Error() != d.ID {
			t.Errorf("%s as an error is %s", d.ID, d.Error())
		}
	}
	if kerror.Lookup("no.such.error") != nil {
		t.Error("an unknown id was found")
	}
	all[0] = nil
	if kerror.All()[0] == nil {
		t.Error("All gives the catalogue itself")
	}
}

var internal = map[kerror.Class]bool{kerror.InternalError: true, kerror.ExternalServiceError: true, kerror.PluginImplementationError: true}

// A message reads as a sentence and names {0}, {1}, … without a gap.
func TestMessages(t *testing.T) {
	for _, d := range kerror.All() {
		seen, highest := map[int]bool{}, -1
		for _, match := range placeholder.FindAllStringSubmatch(d.Message, -1) {
			n, _ := strconv.Atoi(match[1])
			seen[n] = true
			highest = max(highest, n)
		}
		if len(seen) != highest+1 || highest > 9 {
			t.Errorf("%s: placeholders of %q are not contiguous", d.ID, d.Message)
		}
		props := make([]string, highest+1)
		for i := range props {
			props[i] = "x"
		}
		if text := d.New(props...).Message; strings.ContainsAny(text, "{}\t\n") || text == "" {
			t.Errorf("%s: %q", d.ID, text)
		}
		if end := d.Message[len(d.Message)-1]; !strings.ContainsRune(".}", rune(end)) || len(d.Message) > 140 {
			t.Errorf("%s: %q should be a short sentence", d.ID, d.Message)
		}
	}
	// Clients and operators look for this one.
	if got := kerror.SecurityTokenInvalid.New().Message; got != "Invalid token." {
		t.Errorf("security.token.invalid: %q", got)
	}
}

func TestNew(t *testing.T) {
	d := &kerror.Def{ID: "a.b.c", Code: 7, Class: kerror.NotFoundError, Message: `No "{0}" in {1}{2}. {3}`}
	for _, test := range []struct {
		props []string
		want  string
	}{
		{nil, `No "{0}" in {1}{2}. {3}`},
		{[]string{"x"}, `No "x" in {1}{2}. {3}`},
		{[]string{"x", "y", "z", "Really."}, `No "x" in yz. Really.`},
		{[]string{"{1}", "{0}", "{", ""}, `No "{1}" in {0}{.`},
		{[]string{"x", "y", "z", "", "more"}, `No "x" in yz.`},
	} {
		e := d.New(test.props...)
		if e.Message != test.want || e.Error() != test.want {
			t.Errorf("%q: got %q, want %q", test.props, e.Message, test.want)
		}
		if !reflect.DeepEqual(e.Props, test.props) || e.ID != "a.b.c" || e.Code != 7 || e.Class != kerror.NotFoundError || e.Status != 404 {
			t.Errorf("got %+v", e)
		}
	}
	for _, message := range []string{"{", "a {0", "{x}", "{}", "{10}"} {
		if got := (&kerror.Def{Message: message}).New("p").Message; got != message {
			t.Errorf("%q became %q", message, got)
		}
	}
}

// TestMessagesAreBounded: a value is cut in the message, between two letters, and stays whole among the props.
func TestMessagesAreBounded(t *testing.T) {
	for _, value := range []string{strings.Repeat("x", 100_000), "x" + strings.Repeat("é", 50_000), strings.Repeat("\x80", 1000)} {
		e := kerror.APIAssertInvalidType.New(value, "object")
		if len(e.Message) > 600 || !strings.HasSuffix(e.Message, `…"; expected: object.`) || e.Props[0] != value {
			t.Errorf("%d bytes: %s", len(e.Message), e.Message)
		}
		if utf8.ValidString(value) != utf8.ValidString(e.Message) {
			t.Errorf("a letter was cut: %q", e.Message)
		}
	}
	exact := strings.Repeat("x", 512)
	if e := kerror.APIAssertMissingArgument.New(exact); !strings.Contains(e.Message, `"`+exact+`"`) {
		t.Errorf("cut although it fits: %s", e.Message)
	}
}

func TestOneFullStop(t *testing.T) {
	for value, want := range map[string]string{
		"It broke.": "The filter is not valid: It broke.",
		"It broke":  "The filter is not valid: It broke.",
		"Why not…":  "The filter is not valid: Why not….",
	} {
		if got := kerror.APIAssertKoncordeDSLError.New(value).Message; got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if got := kerror.APIAssertMissingArgument.New("a.").Message; !strings.Contains(got, `"a."`) {
		t.Errorf("a quoted value was changed: %s", got)
	}
}

func TestIsAndWrap(t *testing.T) {
	e := kerror.APIAssertMissingArgument.Wrap(io.ErrUnexpectedEOF, "body.email")
	wrapped := fmt.Errorf("read the request: %w", e)
	if !errors.Is(wrapped, kerror.APIAssertMissingArgument) || errors.Is(wrapped, kerror.APIAssertInvalidType) {
		t.Error("the row is not recognised")
	}
	if !errors.Is(wrapped, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if strings.Contains(e.Message, io.ErrUnexpectedEOF.Error()) {
		t.Error("the cause is shown to the client")
	}
	var found *kerror.Error
	if !errors.As(wrapped, &found) || found != e {
		t.Error("the error is not found in the chain")
	}
	if kerror.APIAssertMissingArgument.New("x").Unwrap() != nil {
		t.Error("a cause out of nowhere")
	}
}

func TestBare(t *testing.T) {
	e := kerror.Bare(kerror.BadRequestError, "no id")
	if e.ID != "" || e.Code != 0 || e.Status != 400 || e.Error() != "no id" {
		t.Errorf("got %+v", e)
	}
	if errors.Is(e, &kerror.Def{}) || errors.Is(e, kerror.APIAssertInvalidType) {
		t.Error("an error without an id is none of the catalogue")
	}
}

func TestWith(t *testing.T) {
	e := kerror.APIProcessIncompleteMultipleRequest.New("1").WithV1("old text").WithErrors([]any{"one"})
	if e.V1 != "old text" || len(e.Errors) != 1 || e.Status != 400 {
		t.Errorf("got %+v", e)
	}
}

func TestStatus(t *testing.T) {
	for class, want := range map[kerror.Class]int{
		kerror.BadRequestError: 400, kerror.UnauthorizedError: 401, kerror.ForbiddenError: 403, kerror.NotFoundError: 404,
		kerror.PreconditionError: 412, kerror.SizeLimitError: 413, kerror.TooManyRequestsError: 429, kerror.InternalError: 500,
		kerror.ExternalServiceError: 500, kerror.PluginImplementationError: 500, kerror.ServiceUnavailableError: 503,
		kerror.GatewayTimeoutError: 504, kerror.PartialError: 206, kerror.MultipleErrorsError: 400, "NoSuchError": 500,
	} {
		if got := class.Status(); got != want {
			t.Errorf("%s: %d, want %d", class, got, want)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = kerror.APIAssertInvalidType.New("body.email", "string")
	}
}
