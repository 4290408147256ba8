// Command gvp is the bundled plugin with GVP's UNIAPI: LoginUserPassword, which gives a user of an instance a token on a
// trusted device, and GetAuraToken, which opens a conversation with Aura for such a token.
//
// A user's way through it: login.go (credentials, status, device, country) makes a token (token.go) and a row of
// GVP_LogLogin (loginlog.go); session.go says whose a token is; auraid.go finds or asks for the Aura ID of the device at the
// fourth platform (fourthplatform.go); auratoken.go opens the conversation. admin.go makes instances, users and devices.
package main

import "github.com/sluicehq/sluice/plugins/sdk"

func main() { sdk.Serve(New()) }
