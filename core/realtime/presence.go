package realtime

// Count gives how many connections are in a room, 0 for one that is not there.
func (s *Service) Count(roomID string) int {
	r := s.room(roomID)
	if r == nil {
		return 0
	}
	return r.count()
}

// Subscribed reports whether a connection is in any room.
func (s *Service) Subscribed(connection string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.subscribers[connection] != nil
}

// Presence is how many connections are in every room, by index, collection and room.
type Presence map[string]map[string]map[string]int

// List counts the rooms of the collections that show admits, which is asked once for each. An index all of whose collections
// are left out stands there empty.
func (s *Service) List(show func(index, collection string) bool) Presence {
	shown, list := map[place]bool{}, Presence{}
	for _, r := range s.allRooms() {
		count := r.count()
		if count == 0 {
			continue
		}
		if list[r.at.index] == nil {
			list[r.at.index] = map[string]map[string]int{}
		}
		may, asked := shown[r.at]
		if !asked {
			may = show(r.at.index, r.at.collection)
			shown[r.at] = may
		}
		if !may {
			continue
		}
		if list[r.at.index][r.at.collection] == nil {
			list[r.at.index][r.at.collection] = map[string]int{}
		}
		list[r.at.index][r.at.collection][r.id] = count
	}
	return list
}

func (r *room) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members)
}
