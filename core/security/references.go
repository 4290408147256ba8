package security

import "context"

// maxReferring is how many writes of users and profiles are checked and stored at once.
const maxReferring = 64

// references keep what a user or a profile refers to from being deleted between the check that it is there and the write.
// Who writes something that refers to others holds a place; who deletes what may be referred to holds them all. It holds for
// one node: in a cluster another may store a reference to what is being deleted here, and such a reference allows nothing.
type references struct {
	places   chan struct{}
	deleting chan struct{} // held by the one deletion that takes places
}

func newReferences() references {
	return references{places: make(chan struct{}, maxReferring), deleting: make(chan struct{}, 1)}
}

// hold waits until nothing is being deleted; done ends it.
func (r references) hold(ctx context.Context) (done func(), err error) {
	select {
	case r.places <- struct{}{}:
		return func() { <-r.places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// alone waits until nobody holds a place; done ends it.
func (r references) alone(ctx context.Context) (done func(), err error) {
	select {
	case r.deleting <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	taken := 0
	done = func() {
		for range taken {
			<-r.places
		}
		<-r.deleting
	}
	for taken < maxReferring {
		select {
		case r.places <- struct{}{}:
			taken++
		case <-ctx.Done():
			done()
			return nil, ctx.Err()
		}
	}
	return done, nil
}
