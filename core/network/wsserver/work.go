package wsserver

import "sync"

// work holds the requests of one connection that wait, and the goroutines that execute them.
//
// A goroutine takes requests until none waits. While one waits there is always a goroutine on its way to it, unless
// MaxInFlight run already: whoever takes a request and leaves another behind starts the next goroutine first. So quick
// requests are executed one after the other by the same warm goroutine, and a slow one holds nobody up.
type work struct {
	handle     func(message []byte)
	max        int // requests running, and as many waiting
	maxBytes   int // of those waiting
	goroutines sync.WaitGroup
	// room gets a value when a request was taken off a full queue.
	room chan struct{}

	mu       sync.Mutex
	waiting  [][]byte
	bytes    int
	running  int
	starting bool // a goroutine was started and has not looked yet
	full     bool // somebody waits for room
	draining bool
	idle     func() // told once, when draining and nothing is left
}

// add queues a request; false when there is no room.
func (w *work) add(message []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) > 0 && (len(w.waiting) >= w.max || w.bytes+len(message) > w.maxBytes) {
		w.full = true
		return false
	}
	w.waiting = append(w.waiting, message)
	w.bytes += len(message)
	w.startLocked()
	return true
}

func (w *work) startLocked() {
	if w.starting || w.running >= w.max || len(w.waiting) == 0 {
		return
	}
	w.starting = true
	w.running++
	w.goroutines.Add(1)
	go w.run()
}

func (w *work) run() {
	defer w.goroutines.Done()
	w.mu.Lock()
	w.starting = false
	for {
		message, ok := w.nextLocked()
		if !ok {
			break
		}
		w.startLocked()
		w.mu.Unlock()
		w.handle(message)
		w.mu.Lock()
	}
	w.running--
	told := w.idleLocked()
	w.mu.Unlock()
	if told != nil {
		told()
	}
}

func (w *work) nextLocked() ([]byte, bool) {
	if len(w.waiting) == 0 {
		if cap(w.waiting) > maxKeptFrames {
			w.waiting = nil
		}
		return nil, false
	}
	message := w.waiting[0]
	copy(w.waiting, w.waiting[1:])
	w.waiting[len(w.waiting)-1] = nil
	w.waiting = w.waiting[:len(w.waiting)-1]
	w.bytes -= len(message)
	if w.full {
		w.full = false
		select {
		case w.room <- struct{}{}:
		default:
		}
	}
	return message, true
}

// drop forgets what waits.
func (w *work) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.bytes = nil, 0
}

// drain calls idle once nothing runs or waits, which may be at once. Requests that come later must be refused.
func (w *work) drain(idle func()) {
	w.mu.Lock()
	w.draining, w.idle = true, idle
	told := w.idleLocked()
	w.mu.Unlock()
	if told != nil {
		told()
	}
}

func (w *work) idleLocked() func() {
	if !w.draining || w.running > 0 || len(w.waiting) > 0 {
		return nil
	}
	told := w.idle
	w.idle = nil
	return told
}
