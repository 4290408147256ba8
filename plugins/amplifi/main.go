// Command amplifi is the bundled plugin with Amplifi's token service: PUT /token gives a token for the credentials of a
// channel, GET /user tells whose token it is, DELETE /token ends it.
package main

import "github.com/sluicehq/sluice/plugins/sdk"

func main() { sdk.Serve(New()) }
