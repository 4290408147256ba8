package sealed

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func ring(t testing.TB, keys ...Key) *Ring {
	t.Helper()
	r, err := New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func key(id byte) Key { return Key{ID: id, Secret: [KeyBytes]byte{id, 2, 3}} }

func TestOpensWhatItSealed(t *testing.T) {
	r := ring(t, key(7))
	for _, plaintext := range []string{"", "a", strings.Repeat("long ", 500)} {
		text := r.Seal("token", []byte(plaintext))
		got, err := r.Open("token", text)
		if err != nil || string(got) != plaintext {
			t.Errorf("%q: %v", got, err)
		}
		if again := r.Seal("token", []byte(plaintext)); again == text {
			t.Error("the same nonce twice")
		}
	}
}

func TestEveryChangedCharacterIsNoticed(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	r := ring(t, key(7), key(8))
	text := r.Seal("token", []byte("content"))
	for i := range text {
		for _, c := range alphabet {
			changed := text[:i] + string(c) + text[i+1:]
			if changed == text {
				continue
			}
			if _, err := r.Open("token", changed); !errors.Is(err, ErrInvalid) {
				t.Fatalf("character %d as %c opens", i, c)
			}
		}
	}
}

func TestRefusesWhatIsNotItsOwn(t *testing.T) {
	r := ring(t, key(1))
	text := r.Seal("link", []byte("x"))
	other := Key{ID: 1, Secret: [KeyBytes]byte{9}}
	for name, open := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return r.Open("unlink", text) },
		"another key":     func() ([]byte, error) { return ring(t, other).Open("link", text) },
		"unknown key id":  func() ([]byte, error) { return ring(t, key(2)).Open("link", text) },
		"truncated":       func() ([]byte, error) { return r.Open("link", text[:len(text)-1]) },
		"longer":          func() ([]byte, error) { return r.Open("link", text+"AA") },
		"line end inside": func() ([]byte, error) { return r.Open("link", text[:5]+"\n"+text[5:]) },
		"padded":          func() ([]byte, error) { return r.Open("link", text+"=") },
		"empty":           func() ([]byte, error) { return r.Open("link", "") },
		"short":           func() ([]byte, error) { return r.OpenBytes("link", []byte{1, 2}) },
		"no ciphertext":   func() ([]byte, error) { return r.OpenBytes("link", make([]byte, 1+nonceBytes)) },
	} {
		if got, err := open(); !errors.Is(err, ErrInvalid) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestRotation(t *testing.T) {
	before := ring(t, key(1)).Seal("p", []byte("old"))
	r := ring(t, key(2), key(1))
	if got, err := r.Open("p", before); err != nil || string(got) != "old" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ring(t, key(1)).Open("p", r.Seal("p", nil)); !errors.Is(err, ErrInvalid) {
		t.Error("it seals with the old key")
	}
}

func TestParse(t *testing.T) {
	a, b := key(1).Secret, [KeyBytes]byte{}
	for i := range b {
		b[i] = 0xfb // with + and / in the standard alphabet
	}
	text := "2:" + base64.StdEncoding.EncodeToString(b[:]) + ",\n 1:" + hex.EncodeToString(a[:]) + "\n"
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring(t, Key{2, b}).Open("p", r.Seal("p", nil)); err != nil {
		t.Error("the first key is not the active one")
	}
	if _, err := r.Open("p", ring(t, Key{1, a}).Seal("p", nil)); err != nil {
		t.Error("the second key does not open")
	}
	secret := hex.EncodeToString(a[:])
	for _, bad := range []string{"", secret, "256:" + secret, "x:" + secret, "1:" + secret[2:], "1:" + secret + " 1:" + secret, "1:"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is read", bad)
		} else if strings.Contains(err.Error(), secret[2:20]) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if _, err := New(); err == nil {
		t.Error("a ring without keys")
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, key(1))
	f.Add("link", r.Seal("link", []byte("x")))
	f.Add("link", "")
	f.Fuzz(func(t *testing.T, purpose, text string) {
		got, err := r.Open(purpose, text)
		if err != nil && (!errors.Is(err, ErrInvalid) || got != nil) {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	r := ring(b, key(1))
	text := r.Seal("p", make([]byte, 200))
	for b.Loop() {
		if _, err := r.Open("p", text); err != nil {
			b.Fatal(err)
		}
	}
}
