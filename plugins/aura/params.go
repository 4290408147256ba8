package main

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Bounds of parameters, in characters.
const (
	maxUserID          = 128
	maxAuthorizationID = 256
	maxArgument        = 4096
)

var (
	auraIDForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}$`)
	phoneForm  = regexp.MustCompile(`^\+?[1-9][0-9]{6,14}$`)
)

// reserved are segments of other paths, which no user can have as his id.
func reserved(auraID string) bool {
	return auraID == "aura-id" || auraID == "auraid" || auraID == "aura-id-global"
}

// argument reads a text of query, path or envelope; "" when it is not there and need not be.
func argument(c *call, parameter string, required bool) (string, error) {
	raw := c.Args.Raw(parameter)
	if raw == nil {
		if required {
			return "", missing(parameter)
		}
		return "", nil
	}
	text, err := c.Args.String(parameter)
	switch {
	case err != nil || !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > maxArgument:
		return "", invalid(parameter, "is not an acceptable text")
	case text == "" && required:
		return "", missing(parameter)
	}
	return text, nil
}

// name reads a text of bounded length without control characters.
func name(c *call, parameter string, maxCharacters int, required bool) (string, error) {
	text, err := argument(c, parameter, required)
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(text) > maxCharacters || strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsRune(text, utf8.RuneError) {
		return "", invalid(parameter, "is too long or holds characters that are not allowed")
	}
	return text, nil
}

// auraID reads the id of a user that should be there. Of the paths, those in reservedRoutes alone bring none.
func auraID(c *call) (string, error) {
	text, err := argument(c, "auraId", !c.Args.FromText())
	switch {
	case err != nil:
		return "", err
	case text == "" || reserved(text):
		return "", errNoUser
	case !auraIDForm.MatchString(text):
		return "", invalid("auraId", "is not an id of a user")
	}
	return text, nil
}

// channelID reads the channel, by default the one of the key.
func channelID(c *call) (string, error) {
	text, err := argument(c, "channelId", false)
	if err != nil {
		return "", err
	}
	if text == "" && c.key != nil {
		text = c.key.ChannelID
	}
	if text == "" {
		return "", missing("channelId")
	}
	return asUUID("channelId", text)
}

// asUUID gives a UUID in its usual form.
func asUUID(parameter, text string) (string, error) {
	const usual = 36 // the parser takes other forms too
	u, err := uuid.Parse(text)
	if err != nil || len(text) != usual {
		return "", invalid(parameter, "is not a UUID")
	}
	return u.String(), nil
}

// phoneNumber reads an E.164 number, "" when there is none. The plus is added when it is missing.
func phoneNumber(c *call, parameter string, required bool) (string, error) {
	text, err := argument(c, parameter, required)
	if text == "" || err != nil {
		return "", err
	}
	return asPhone(parameter, text)
}

func asPhone(parameter, text string) (string, error) {
	text = strings.TrimPrefix(text, " ") // a plus that nobody escaped in a query
	if !phoneForm.MatchString(text) {
		return "", invalid(parameter, "is not a telephone number such as +34600111222")
	}
	return "+" + strings.TrimPrefix(text, "+"), nil
}
