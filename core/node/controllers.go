package node

import (
	"time"

	"github.com/sluicehq/sluice/controllers/announce"
	authcontroller "github.com/sluicehq/sluice/controllers/auth"
	"github.com/sluicehq/sluice/controllers/bulk"
	"github.com/sluicehq/sluice/controllers/collection"
	"github.com/sluicehq/sluice/controllers/document"
	"github.com/sluicehq/sluice/controllers/index"
	"github.com/sluicehq/sluice/controllers/metadata"
	"github.com/sluicehq/sluice/controllers/realtime"
	securitycontroller "github.com/sluicehq/sluice/controllers/security"
	"github.com/sluicehq/sluice/controllers/server"
	"github.com/sluicehq/sluice/controllers/target"
	"github.com/sluicehq/sluice/core/router"
)

// apiVersion is the version of the Kuzzle API that the node speaks; clients look at it.
const apiVersion = "2.56.0"

// maxScroll is the longest time that a scroll is kept for, the API's default.
const maxScroll = time.Minute

// contribute registers the built-in controllers.
func (n *Node) contribute() error {
	limits := n.options.Config.Limits
	snapshot := n.registry.Current
	logins := authcontroller.Options{
		Tokens: n.tokens, Users: n.users, Throttle: n.throttle, Bus: n.bus, Snapshot: snapshot, Paging: n.paging(),
	}
	for _, c := range append([]router.Contribution{
		{Owner: "auth", Actions: authcontroller.Actions(logins)},
		authcontroller.PasswordActions(logins, n.passwords),
		{Owner: "security", Actions: securitycontroller.Actions(securitycontroller.Options{
			Accounts: n.tokens, Users: n.users, Snapshot: snapshot, Paging: n.paging(), MaxWrite: limits.DocumentsWriteCount,
			RestrictedProfiles: n.options.Config.Security.RestrictedProfileIDs,
		})},
		{Owner: "server", Actions: server.Actions(server.Options{
			Users: n.users, Engine: n.engine, Routes: snapshot, Plugins: n.runningPlugins, PluginHealth: n.pluginHealth, StorageImpaired: n.storageImpaired,
			Version: n.options.Version, API: apiVersion, Started: n.started,
			Limits: map[string]int{
				"concurrentRequests":  limits.ConcurrentRequests,
				"requestsBufferSize":  limits.RequestsBufferSize,
				"loginsPerSecond":     limits.LoginsPerSecond,
				"documentsFetchCount": limits.DocumentsFetchCount,
				"documentsWriteCount": limits.DocumentsWriteCount,
			},
		})},
	}, n.documents()...) {
		if err := n.registry.Set(c); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) paging() target.Paging {
	return target.Paging{MaxFetch: n.options.Config.Limits.DocumentsFetchCount, MaxScroll: maxScroll}
}

// documents are the controllers of what users store.
func (n *Node) documents() []router.Contribution {
	limits := n.options.Config.Limits
	announcer := announce.Announcer{Bus: n.bus, Snapshot: n.registry.Current}
	info := metadata.Writer{Announcer: announcer}
	subscribers := announce.NewSubscribers(n.realtime)
	paging := n.paging()
	reindexer := collection.NewReindexer(n.engine, n.options.Logger)
	n.onStop(reindexer.Close)
	return []router.Contribution{
		{Owner: "index", Actions: index.Actions(index.Options{Engine: n.engine, Announcer: announcer, Users: n.users})},
		{
			Owner: "collection", Listeners: collection.Listeners(n.specifications),
			Actions: collection.Actions(collection.Options{
				Engine: n.engine, Realtime: n.realtime, Announcer: announcer, Specifications: n.specifications,
				Reindexer: reindexer, Paging: paging,
			}),
		},
		{Owner: "document", Actions: document.Actions(document.Options{
			Engine: n.engine, Announcer: announcer, Subscribers: subscribers, Metadata: info, Users: n.users,
			Validator: n.specifications, Paging: paging, MaxWrite: limits.DocumentsWriteCount,
		})},
		{Owner: "realtime", Actions: realtime.Actions(realtime.Options{
			Realtime: n.realtime, Users: n.users, Announcer: announcer, Metadata: info, Validator: n.specifications,
		})},
		{Owner: "bulk", Actions: bulk.Actions(bulk.Options{Engine: n.engine, Metadata: info, Subscribers: subscribers})},
	}
}
