package target

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sluicehq/sluice/core/storage"
	"github.com/sluicehq/sluice/protocol"
	"github.com/sluicehq/sluice/protocol/kerror"
)

// defaultScroll is how long a scroll is kept after it was used, unless the request says.
const defaultScroll = 15 * time.Second

// Paging bounds what a search may ask for.
type Paging struct {
	// MaxFetch is how many documents one request may read.
	MaxFetch int
	// MaxScroll is the longest time that a scroll is kept for.
	MaxScroll time.Duration
}

// Search reads which hits are wanted: the arguments from, size and scroll, of which the first two may stand in the body,
// and are taken out of it. size is how many when the request does not say, as far as MaxFetch allows.
func (p Paging) Search(req *protocol.Request, body *protocol.Args, size int64) (s storage.Search, err error) {
	if s.From, err = notNegative(req.Args, *body, "from", 0); err != nil {
		return s, err
	}
	if s.Size, err = notNegative(req.Args, *body, "size", min(size, int64(p.MaxFetch))); err != nil {
		return s, err
	}
	if s.Size > p.MaxFetch {
		return s, kerror.ServicesStorageGetLimitExceeded.New()
	}
	body.Remove("from")
	body.Remove("size")
	s.Scroll, err = p.lifetime(req, 0)
	return s, err
}

// Scroll reads which scroll is meant, and how long it is to be kept.
func (p Paging) Scroll(req *protocol.Request) (scroll string, keep time.Duration, err error) {
	if scroll, err = req.Args.String("scrollId"); err != nil {
		return "", 0, err
	}
	keep, err = p.lifetime(req, defaultScroll)
	return scroll, keep, err
}

// notNegative reads a number beside the body, else in it.
func notNegative(args, body protocol.Args, name string, absent int64) (int, error) {
	if args.Raw(name) == nil {
		args = body
	}
	n, err := args.OptInt(name, absent)
	if err == nil && n < 0 {
		err = kerror.APIAssertInvalidArgument.New(name, "a number that is not negative")
	}
	return int(n), err
}

// lifetime reads the argument scroll.
func (p Paging) lifetime(req *protocol.Request, absent time.Duration) (time.Duration, error) {
	if req.Args.Raw("scroll") == nil {
		return absent, nil
	}
	text, err := req.Args.String("scroll")
	if err != nil {
		return 0, err
	}
	d, ok := duration(text)
	switch {
	case !ok:
		return 0, kerror.APIAssertInvalidArgument.New("scroll", `a duration such as "30s"`)
	case d > p.MaxScroll:
		return 0, kerror.ServicesStorageScrollDurationTooGreat.New(text)
	}
	return d, nil
}

// units are those of Elasticsearch's durations that make sense here; one that ends with another stands before it.
var units = []struct {
	word string
	unit time.Duration
}{{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// duration reads "30s" or "1m". One that is too long for the type is as long as can be.
func duration(text string) (time.Duration, bool) {
	for _, u := range units {
		number, found := strings.CutSuffix(text, u.word)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case err != nil || n <= 0:
			return 0, false
		case n > math.MaxInt64/int64(u.unit):
			return math.MaxInt64, true
		}
		return time.Duration(n) * u.unit, true
	}
	return 0, false
}
