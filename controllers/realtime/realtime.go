// Package realtime is the controller `realtime`: subscriptions to what happens in a collection, and messages that are not
// stored. core/node contributes it to the registry.
package realtime

import (
	"github.com/sluicehq/sluice/controllers/announce"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/core/realtime"
	"github.com/sluicehq/sluice/core/router"
	"github.com/sluicehq/sluice/core/security"
	"github.com/sluicehq/sluice/core/validation"
)

// Options are what the controller works with.
type Options struct {
	Realtime *realtime.Service
	// Users decide which rooms realtime:list shows.
	Users     *security.Service
	Announcer announce.Announcer
	Metadata  metadata.Writer
	// Validator holds what is published to the specifications of the collection.
	Validator *validation.Validator
}

type controller struct{ Options }

// Actions gives the actions of the controller. Those that need a connection have no route.
func Actions(o Options) []router.Action {
	c := controller{o}
	action := func(name string, h router.Handler, routes ...router.Route) router.Action {
		return router.Action{Controller: "realtime", Name: name, Handler: h, Routes: routes}
	}
	return []router.Action{
		action("count", c.count),
		action("join", c.join),
		action("list", c.list, router.Route{Verb: "GET", Path: "/_listSubscriptions"}),
		action("publish", c.publish, router.Route{Verb: "POST", Path: "/:index/:collection/_publish"}),
		action("subscribe", c.subscribe),
		action("unsubscribe", c.unsubscribe),
		action("validate", c.validate),
	}
}
