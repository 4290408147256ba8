// Command comexposium is the bundled plugin with Comexposium's route user/checkUserToken of Kuzzle 1: it tells a backend
// whether the token it presents belongs to the account of an e-mail address.
package main

import "github.com/sluicehq/sluice/plugins/sdk"

func main() { sdk.Serve(New()) }
