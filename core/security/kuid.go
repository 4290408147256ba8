package security

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/google/uuid"

	"github.com/sluicehq/sluice/protocol/kerror"
)

// NewID gives the generator of user ids for a kind: "human" ("" too) makes kuid-<adjective>-<animal>-<number>, "uuid"
// makes kuid-<uuid>.
func NewID(kind string) (func() (string, error), error) {
	switch kind {
	case "", "human":
		return humanID, nil
	case "uuid":
		return uuidID, nil
	default:
		return nil, kerror.APIAssertInvalidArgument.New("kuid", "human, uuid")
	}
}

func uuidID() (string, error) {
	id, err := uuid.NewRandom()
	return "kuid-" + id.String(), err
}

func humanID() (string, error) {
	adjective, err := random(len(adjectives))
	if err != nil {
		return "", err
	}
	animal, err := random(len(animals))
	if err != nil {
		return "", err
	}
	number, err := random(100_000)
	return fmt.Sprintf("kuid-%s-%s-%d", adjectives[adjective], animals[animal], number), err
}

func random(below int) (int, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(below)))
	if err != nil {
		return 0, fmt.Errorf("read random bytes: %w", err)
	}
	return int(n.Int64()), nil
}

var adjectives = []string{
	"able", "agile", "alert", "amber", "ample", "ancient", "arctic", "autumn", "azure", "bold", "brave", "bright", "brisk",
	"bronze", "busy", "calm", "candid", "careful", "cheerful", "civil", "clear", "clever", "coastal", "cosmic", "crimson",
	"curious", "daring", "dapper", "deep", "eager", "early", "earnest", "elegant", "emerald", "fair", "famous", "fancy",
	"fearless", "fluent", "fond", "frank", "fresh", "friendly", "gentle", "gifted", "glad", "golden", "graceful", "grand",
	"great", "green", "happy", "hardy", "hearty", "honest", "humble", "icy", "ideal", "indigo", "jolly", "keen", "kind",
	"large", "lively", "loyal", "lucid", "lucky", "lunar", "mellow", "merry", "mighty", "modest", "neat", "noble", "novel",
	"patient", "peaceful", "playful", "polite", "proud", "quick", "quiet", "rapid", "ready", "rustic", "scarlet", "serene",
	"sharp", "silent", "silver", "sincere", "smart", "solar", "sturdy", "subtle", "sunny", "swift", "tidy", "tranquil",
	"upbeat", "vivid", "warm", "wise", "witty", "young",
}

var animals = []string{
	"albatross", "alpaca", "antelope", "badger", "bat", "bear", "beaver", "bee", "bison", "bobcat", "buffalo", "butterfly",
	"camel", "caribou", "cat", "cheetah", "cicada", "condor", "cormorant", "crab", "crane", "cricket", "crow", "deer",
	"dolphin", "dove", "dragonfly", "duck", "eagle", "eel", "egret", "elephant", "elk", "falcon", "ferret", "finch",
	"firefly", "flamingo", "fox", "frog", "gazelle", "gecko", "gibbon", "giraffe", "goose", "grouse", "hamster", "hare",
	"hawk", "hedgehog", "heron", "horse", "hummingbird", "ibex", "ibis", "iguana", "impala", "jackdaw", "jaguar", "jay",
	"kangaroo", "kestrel", "kingfisher", "kiwi", "koala", "lark", "lemur", "leopard", "lion", "lizard", "llama", "lobster",
	"lynx", "magpie", "manatee", "marten", "meerkat", "mole", "moose", "narwhal", "newt", "nightingale", "ocelot",
	"octopus", "oriole", "osprey", "ostrich", "otter", "owl", "panda", "panther", "parrot", "pelican", "penguin",
	"pheasant", "pigeon", "plover", "puffin", "puma", "quail", "rabbit", "raccoon", "raven", "robin", "salmon", "seal",
	"shark", "sparrow", "squirrel", "starling", "stork", "swallow", "swan", "tiger", "toucan", "trout", "turtle", "walrus",
	"weasel", "whale", "wolf", "wombat", "woodpecker", "wren", "yak", "zebra",
}
