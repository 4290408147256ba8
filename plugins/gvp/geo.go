package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"sync/atomic"

	"github.com/oschwald/geoip2-golang/v2"
)

// geo says in which country an address is: by the operator's own list, else by the MaxMind database.
type geo struct {
	overrides []override // the longest prefix first
	// database is nil while there is none that can be read; then nobody knows anything.
	database atomic.Pointer[geoip2.Reader]
}

type override struct {
	network netip.Prefix
	country string
}

var (
	errNoDatabase = errors.New("there is no database of countries")
	countryForm   = regexp.MustCompile(`^[A-Z]{2}$`)
)

func newGeo(overrides map[string]string) (*geo, error) {
	g := &geo{}
	for text, country := range overrides {
		network, err := netip.ParsePrefix(text)
		if err != nil || !countryForm.MatchString(country) {
			return nil, fmt.Errorf(`geo.overrides: %q: %q: want a network such as 10.0.0.0/8 and a country such as ES`, text, country)
		}
		g.overrides = append(g.overrides, override{network.Masked(), country})
	}
	slices.SortFunc(g.overrides, func(a, b override) int { return cmp.Compare(b.network.Bits(), a.network.Bits()) })
	return g, nil
}

// country gives the ISO code of the country that an address is in, not the one its network is registered in; "" for an
// address that is in none, such as a private one. errNoDatabase or another error says that nobody knows.
func (g *geo) country(ip string) (string, error) {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return "", nil
	}
	address = address.Unmap().WithZone("")
	for _, o := range g.overrides {
		if o.network.Contains(address) {
			return o.country, nil
		}
	}
	database := g.database.Load()
	if database == nil {
		return "", errNoDatabase
	}
	found, err := database.Country(address)
	if err != nil {
		return "", fmt.Errorf("look up the country: %w", err)
	}
	return found.Country.ISOCode, nil
}

// load takes a new database; nil, or one that cannot be read, leaves none. It lies in memory: a file that is overwritten where
// it is does no harm.
func (g *geo) load(file []byte) error {
	database, err := openDatabase(file)
	g.database.Store(database)
	return err
}

func openDatabase(file []byte) (*geoip2.Reader, error) {
	if file == nil {
		return nil, nil
	}
	database, err := geoip2.OpenBytes(file)
	if err == nil {
		_, err = database.Country(netip.IPv4Unspecified())
	}
	if err != nil {
		return nil, fmt.Errorf("open the database of countries: %w", err)
	}
	return database, nil
}
