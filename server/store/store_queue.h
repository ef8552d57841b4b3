#ifndef RONDO_SERVER_STORE_STORE_QUEUE_H_
#define RONDO_SERVER_STORE_STORE_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/store/session_store.h"

namespace rondo {

struct StoreLoad {
  std::string id;
  std::function<void(SessionStore::Loaded)> done;
  absl::Duration claim = absl::ZeroDuration();
  // How long the load waits for another server that has the session.
  std::chrono::steady_clock::time_point waits_until = std::chrono::steady_clock::time_point::max();
};

// A look at a part of the store, as SessionStore::ScanOp has it.
struct StoreScan {
  std::string prefix;
  std::string from;
  std::function<void(SessionStore::ScanOp)> done;
};

struct StoreSave {
  std::string id;
  std::string value;
  absl::Time expires_at = absl::InfiniteFuture();
  uint64_t epoch = 1;
  std::function<void(const absl::Status&)> done;
  SessionStore::After after = SessionStore::After::kKept;
};

// Holds what was asked of a store and has not been passed on to it yet. Operations on one id stay in order. Those on
// different ids do not wait for each other, so that a load need not wait behind the thousands of saves that were asked
// for before.
//
// Policy only: no lock, no thread, no store.
class StoreQueue {
 public:
  // All loads that one operation on the store answers.
  struct Loads {
    std::string id;
    std::vector<StoreLoad> loads;  // at least one
  };
  struct Saves {
    StoreSave newest;
    std::vector<std::function<void(const absl::Status&)>> superseded;  // of older saves: they get the newest's answer
  };

  void Add(StoreLoad load);
  void Add(StoreSave save);
  // These take the operations that have waited longest, of at most `max` ids, each id once. What is taken is to take
  // effect before the next call to one of these two.
  std::vector<Loads> TakeLoads(size_t max);
  std::vector<Saves> TakeSaves(size_t max);
  bool empty() const { return lines_.empty(); }

 private:
  // Operations of one kind that follow each other on one id: one call to the store.
  struct Group {
    std::vector<StoreLoad> loads;
    std::vector<StoreSave> saves;  // empty for loads; at most one, the newest
    std::vector<std::function<void(const absl::Status&)>> superseded;
    bool is_save() const { return !saves.empty(); }
  };
  // The groups of one id, the oldest first; loads and saves alternate.
  struct Line {
    std::string id;
    absl::InlinedVector<Group, 1> groups;
  };

  // Returns the last group of `id`, or a new one if there is none or the last is of the other kind.
  Group& GroupFor(absl::string_view id, bool is_save);
  void AwaitTurn(Line* line, bool is_save);
  // Takes the oldest group of the line, and lets the next one have its turn.
  Group TakeFront(Line* line);

  absl::flat_hash_map<absl::string_view, std::unique_ptr<Line>> lines_;  // keys: their ids
  std::deque<Line*> load_turns_;                                         // lines whose oldest group is of loads, by age
  std::deque<Line*> save_turns_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_STORE_QUEUE_H_
