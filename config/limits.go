package config

import "time"

// Limits is the section limits.
type Limits struct {
	ConcurrentRequests             int           `config:"concurrentRequests" doc:"Requests executed at once. Must be below limits.requestsBufferSize." min:"1"`
	RequestsBufferSize             int           `config:"requestsBufferSize" doc:"Requests waiting to be executed; one more is answered 503." min:"1"`
	RequestsBufferWarningThreshold int           `config:"requestsBufferWarningThreshold" doc:"Waiting requests from which the node warns; between the two above." min:"1"`
	LoginsPerSecond                int           `config:"loginsPerSecond" doc:"Login attempts per second on one WebSocket connection. Beside it, five failed logins in a row on one account from one client address (of IPv6 the /64) close it to that address for 30 s, doubled each time up to 15 min; after 100 failures within an hour from everywhere it is open only to addresses that logged in on it within a day. Accounts that do not exist are treated alike." min:"1"`
	FailedLoginsPerMinute          int           `config:"failedLoginsPerMinute" doc:"Failed logins per minute and client address; 0 = unlimited." min:"0"`
	DocumentsFetchCount            int           `config:"documentsFetchCount" doc:"Documents one request may read." min:"1"`
	DocumentsWriteCount            int           `config:"documentsWriteCount" doc:"Documents one request may write, change or delete." min:"1"`
	SubscriptionConditionsCount    int           `config:"subscriptionConditionsCount" doc:"Conditions that the filter of a subscription may hold after normalisation." min:"1"`
	SubscriptionRooms              int           `config:"subscriptionRooms" doc:"Distinct filters that clients may be subscribed to at once; 0 = unlimited." min:"0"`
	SubscriptionsPerConnection     int           `config:"subscriptionsPerConnection" doc:"The same bound for one connection; 0 = unlimited." min:"0"`
	SubscriptionBytes              Size          `config:"subscriptionBytes" doc:"About what the filters of all subscriptions may need; one connection may have a quarter of it." min:"1MB"`
	RequestTimeout                 time.Duration `config:"requestTimeout" doc:"Time for one request from admission to answer." min:"1ms"`
}

func defaultLimits() Limits {
	return Limits{
		ConcurrentRequests:             500,
		RequestsBufferSize:             50000,
		RequestsBufferWarningThreshold: 5000,
		LoginsPerSecond:                1,
		FailedLoginsPerMinute:          30,
		DocumentsFetchCount:            10000,
		DocumentsWriteCount:            200,
		SubscriptionConditionsCount:    100,
		SubscriptionRooms:              1_000_000,
		SubscriptionsPerConnection:     100_000,
		SubscriptionBytes:              512 * MB,
		RequestTimeout:                 30 * time.Second,
	}
}
