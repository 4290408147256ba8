// Command aura is the bundled plugin with the Aura Authentication API: it registers users of channels, gives out tokens of
// the Direct Line of a bot, and publishes the bot's public keys.
package main

import "github.com/sluicehq/sluice/plugins/sdk"

func main() { sdk.Serve(New()) }
