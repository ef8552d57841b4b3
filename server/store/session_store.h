#ifndef RONDO_SERVER_STORE_SESSION_STORE_H_
#define RONDO_SERVER_STORE_SESSION_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/store/ownership_term.h"

namespace rondo {

// What to do about a store whose log is found damaged at the start.
enum class StoreDamage {
  kRefuse,  // not start: DATA_LOSS
  kServe,   // go on with what is whole; what is not is logged and counted
};

// What the store of one server tells that of another.
struct StoreNotice {
  enum class Kind {
    kWanted,  // another server needs what this one owns: save it and let go of it
    kFreed,   // another server has let go of what was held: load it again
  };
  Kind kind = Kind::kWanted;
  std::string id;
};

// Where sessions outlive their process: bytes under session ids, each with one owner.
//
// An id belongs to the store that loaded it last, or that first saved it, until that store lets go of it. Ownership is
// an epoch that only grows. A save of an older epoch, or of another store's, is refused, so what a server saves after
// another has taken the session over never lands. Where servers share the storage, an owner that listens is asked to
// let go, and is passed over only if it has not been heard of for OwnershipTerm::kLapse.
//
// Threads: one at a time; each call blocks until the storage has answered.
class SessionStore {
 public:
  // The epoch to save a session with that was made here and not loaded: it stands for whichever epoch this store owns
  // the id with, if this store or nobody owns it. (What was loaded to find that the id is free may have been what is
  // left of another session.)
  static constexpr uint64_t kOwnEpoch = 0;

  struct Loaded {
    // OK with an empty value: the store has nothing under this id. UNAVAILABLE: the store could not be asked.
    // DATA_LOSS: something that is no value of ours is under our key.
    absl::Status status;
    std::string value;
    uint64_t epoch = 1;       // to save with: this store owns the id now
    bool taken_over = false;  // until now another store owned it, or none
    // Another store owns the id, and has been asked to let go of it: nothing else is set.
    bool held = false;
    // A value that was last used before this may be older than what was answered: the process that had it ended, or was
    // passed over, and had not said that all is saved.
    absl::Time doubtful_before = absl::InfinitePast();
  };
  // Says whose the id is after a save.
  enum class After {
    kKept,           // this store's
    kLetGo,          // nobody's, and whoever has asked for it is told
    kLetGoDoubtful,  // likewise, but the value is doubtful to the next one who loads it
  };
  struct LoadOp : Loaded {  // with the answer
    absl::string_view id;
    // Above 0: a session of this id is made if there is none, and is not saved for so long at most. Until then other
    // stores see whom to ask for it.
    absl::Duration claim;
  };
  struct SaveOp {
    absl::string_view id;
    // Empty, which only goes with letting go: what is there stays.
    absl::string_view value;
    absl::Time expires_at = absl::InfiniteFuture();  // from then on a load may find nothing
    uint64_t epoch = kOwnEpoch;                      // as the load answered
    After after = After::kKept;
    // The answer. OK: the value is durable, it survives the end of this process and of the machine as far as the
    // storage promises. ABORTED: another store has taken the id; nothing was written. UNAVAILABLE: unknown whether it
    // was written. RESOURCE_EXHAUSTED: no space or memory.
    absl::Status status;
  };

  // A look at a part of the values whose ids begin with `prefix` and have no space behind that. Owners stay as they
  // are.
  struct ScanOp {
    static constexpr size_t kHeadBytes = 512;
    struct Entry {
      std::string id;
      std::string head;  // the value's first kHeadBytes, or all of a shorter one
    };
    std::string prefix;
    // The place at which the look begins, and then that at which the next one is to go on; empty: the start, and then
    // the end.
    std::string from;
    // The answer. What is there throughout is found once at least, what has expired may be found or not.
    // INVALID_ARGUMENT: `from` is nothing that this store has answered. UNAVAILABLE: it could not be asked.
    absl::Status status;
    std::vector<Entry> entries;
  };

  virtual ~SessionStore() = default;

  // Each operation has its own answer. Ids within one call differ.
  virtual void Load(absl::Span<LoadOp> loads) = 0;
  virtual void Save(absl::Span<SaveOp> saves) = 0;
  // Takes some milliseconds at most, and some microseconds for each longer prefix with a space that is passed over.
  virtual void Scan(ScanOp* scan) = 0;
  // Drops some values whose time has passed, if the storage does not by itself; takes some milliseconds at most. To be
  // called now and then, and soon again after it returned true: then there were many.
  virtual bool DropExpired(absl::Time now) = 0;
  // Shows others from here on that this store lives, and tells `hear` their notices on a thread of the store's. Does
  // nothing where servers do not share the storage.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): those that override it keep it
  virtual void Listen(std::function<void(StoreNotice)> /*hear*/) {}
  // `hear` is told nothing more.
  virtual void StopListening() {}
  // All that was answered is saved, so no value is doubtful to those who come after. Comes last.
  virtual void EndWhole() {}
  // The present term of this store's ownership.
  uint64_t TermAt(absl::Time now) { return term_.At(now); }
  // How much of the store was damaged when it was opened, and is left out.
  virtual uint64_t damaged_bytes() const { return 0; }

 protected:
  OwnershipTerm term_;  // any thread
};

// Opens the store that `name` asks for; README.md here has the forms of a name. INVALID_ARGUMENT: there is no such
// kind, or the name is malformed: the message says what was wanted. UNAVAILABLE: the store cannot be reached.
// FAILED_PRECONDITION: it is another program's or another server's, or cannot be written. PERMISSION_DENIED: password
// or folder. DATA_LOSS: it is damaged, and `on_damage` does not help.
absl::StatusOr<std::unique_ptr<SessionStore>> OpenSessionStore(absl::string_view name,
                                                               StoreDamage on_damage = StoreDamage::kRefuse);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_SESSION_STORE_H_
