package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sluicehq/sluice/core/node/nodetest"
	"github.com/sluicehq/sluice/plugins/sdk"
	"github.com/sluicehq/sluice/plugins/sdk/sdktest"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// Used states go when they have run out, however many there are, and no earlier.
func TestUsedStatesGo(t *testing.T) {
	p := &plugin{}
	plugin := New()
	plugin.Start = func(_ context.Context, h *sdk.Host, _ jsontext.Value) error {
		p.host, p.states = h, h.Store(statesCollection)
		return nil
	}
	plugin.Stop = nil
	nodetest.Start(t, nodetest.Options{InProcess: sdktest.InProcess(t, plugin)})
	for deadline := time.Now().Add(10 * time.Second); p.host == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the plugin does not start")
		}
	}
	states := documents[usedState]{p.states}
	at := time.Now()
	names := make([]string, 2*purgeBatch+1)
	for i := range names {
		names[i] = "n" + time.Duration(i).String()
		o := []sdk.WriteOption{}
		if i == len(names)-1 {
			o = append(o, sdk.WaitForSearch())
		}
		exp := at.Add(-time.Minute).Unix()
		if i == 0 {
			exp = at.Add(time.Minute).Unix()
		}
		if _, err := states.store.Create(t.Context(), names[i], usedState{linkPurpose, exp, now()}, o...); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.purgeStatesBefore(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		_, err := states.store.Get(t.Context(), name)
		if gone := errors.Is(err, kerror.ServicesStorageNotFound); gone != (i > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
