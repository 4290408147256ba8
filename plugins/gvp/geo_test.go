package main

import (
	"errors"
	"testing"
)

func TestCountries(t *testing.T) {
	g, err := newGeo(map[string]string{"10.0.0.0/8": "ES", "10.1.0.0/16": "PT", "fd00::/8": "FR"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.country("81.2.69.160"); !errors.Is(err, errNoDatabase) {
		t.Errorf("without a database: %v", err)
	}
	if err := g.load(countries(t)); err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]string{
		"2a02:d5c0::1": "ES", "2a02:d5c0::1%eth0": "ES", "81.2.69.160": "GB", "::ffff:81.2.69.191": "GB", "81.2.69.192": "",
		"214.1.1.1": "", "10.0.0.1": "ES", "10.1.2.3": "PT", "::ffff:10.1.2.3": "PT", "fd00::1": "FR", "192.168.0.1": "", "::1": "",
		"": "", "nowhere": "", "81.2.69.160:80": "",
	} {
		if got, err := g.country(ip); got != want || err != nil {
			t.Errorf("%q: %q %v, want %q", ip, got, err, want)
		}
	}
	for name, damaged := range map[string][]byte{"empty": {}, "text": []byte("text"), "cut off": countries(t)[:500]} {
		if err := g.load(damaged); err == nil {
			t.Errorf("%s was taken", name)
		}
		if _, err := g.country("81.2.69.160"); !errors.Is(err, errNoDatabase) {
			t.Errorf("after %s: %v", name, err)
		}
	}
	for network, country := range map[string]string{"10.0.0.0": "ES", "10.0.0.0/33": "ES", "10.0.0.0/8": "es", "10.0.0.1/8": "ESP"} {
		if _, err := newGeo(map[string]string{network: country}); err == nil {
			t.Errorf("%s: %s was taken", network, country)
		}
	}
}

func BenchmarkCountry(b *testing.B) {
	g, err := newGeo(nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := g.load(countries(b)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.country("81.2.69.160"); err != nil {
			b.Fatal(err)
		}
	}
}
