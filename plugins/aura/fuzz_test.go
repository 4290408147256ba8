package main

import (
	"testing"

	"github.com/sluicehq/sluice/plugins/sdk/sealed"
)

// FuzzParameters: what is taken has one form, which is taken again as it is.
func FuzzParameters(f *testing.F) {
	for _, text := range []string{"", "+34600111222", "34600111222", " 34600111222", "++34600111222", c1, "C0A80001-0000-4000-8000-00000000000A", "{" + c1 + "}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, read := range map[string]func(string, string) (string, error){"telephone number": asPhone, "UUID": asUUID} {
			once, err := read("x", text)
			if err != nil {
				continue
			}
			if twice, err := read("x", once); err != nil || twice != once {
				t.Errorf("%s %q: %q, then %q %v", name, text, once, twice, err)
			}
		}
	})
}

// FuzzKeys: no text is a key that this plugin has not sealed.
func FuzzKeys(f *testing.F) {
	ring, err := sealed.Parse(ringText)
	if err != nil {
		f.Fatal(err)
	}
	p := &plugin{keys: keys{ring: ring}, settings: settings{Environment: "local"}}
	for _, text := range []string{"", "xyz", "01", ring.Seal("another purpose", []byte(`{"v":1}`)), ring.Seal(p.keyPurpose(), []byte("no JSON"))} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if key, ok := p.openKey(text); ok {
			t.Errorf("%q is the key %+v", text, key)
		}
	})
}
