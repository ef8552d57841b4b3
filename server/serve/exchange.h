#ifndef RONDO_SERVER_SERVE_EXCHANGE_H_
#define RONDO_SERVER_SERVE_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "model/model.h"
#include "server/serve/message_owner.h"

namespace rondo {

// The timesteps that one request brings for one session, or for none. It borrows all that it points to.
struct SequenceView {
  absl::string_view session_id;     // empty: stateless
  std::optional<int64_t> position;  // of the first timestep; absent: whatever comes next
  absl::Span<const float> values;   // [timesteps][input_size], raw units
  absl::Span<const int64_t> times;  // [timesteps], unix seconds; may be empty if the model needs none
  bool end_session = false;
  bool must_exist = false;  // position 0 creates no session
};

// How the sequences of a message meet their sessions.
struct SessionTerms {
  // The session begins at position 0 and a zero state, whether the id is live or not; `position` is not looked at.
  bool anew = false;
  // What the values and times of a sequence are depends on the model that takes them: Exchange::ReadFor tells.
  bool read_by_model = false;
};

// A request but for its sequences. It borrows all that it points to.
struct RequestView {
  absl::string_view model;
  int64_t version = 0;                                // 0: a live session's own, else the newest
  size_t sequences = 0;                               // how many it has
  size_t values = 0;                                  // floats of all of them together
  size_t bytes = 0;                                   // what the request takes in memory besides, about
  bool last_only = false;                             // answer only the last timestep's output of each sequence
  absl::Duration timeout = absl::InfiniteDuration();  // from its arrival; > 0
  SessionTerms terms;
  absl::Status malformed;         // why its protocol or its stream does not take it, or OK
  absl::string_view id;           // by which its client knows it; may be empty
  MessageOwner* owner = nullptr;  // the stream or call that brought it; null: it shares the turns of all such requests
};

// What one sequence ends with, besides its values.
struct SequenceResult {
  absl::Status status;  // OK, or a refusal: then the session has not changed
  // The session's position after the sequence; with Why::kPosition the one that was expected; 0: stateless, or unknown.
  int64_t next_position = 0;
  // The session's position as of its last save; 0 with NOT_FOUND: the session is unknown, rather than ended. Absent:
  // there is no store, or nothing to say.
  std::optional<int64_t> durable_position;
  // Of a sequence that is OK: its session's serial (see LiveSession), the model version that ran it, and its timesteps.
  uint32_t serial = 0;
  int64_t version = 0;
  size_t timesteps = 0;
};

// One request message and its reply, in a protocol's own types: what a Message asks its adapter for.
//
// Threads: the loop's own.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Sequence `i` of the request; asked once each, or twice. What it points to stays as it is until OnMessageDone.
  virtual SequenceView SequenceAt(size_t i) const = 0;
  // Reads the values and times of sequence `i` as `model` takes them; only of a request that is read_by_model. They
  // stay until OnMessageDone or the next call for this sequence. INVALID_ARGUMENT says what came and what was wanted.
  virtual absl::Status ReadFor(size_t /*i*/, const Model& /*model*/, SequenceView* /*sequence*/) {
    return absl::OkStatus();
  }
  // The message has been admitted: the reply will have so many results, each set once. Not called if it is refused.
  virtual void AddResults(size_t count) = 0;
  // Room for `count` floats in the reply itself, as the values of result `i`; asked once for a sequence at most. It
  // stays until OnMessageDone. The result may still be a failure: then the values are void.
  virtual float* AllocateValues(size_t i, size_t count) = 0;
  virtual void SetResult(size_t i, const SequenceResult& result) = 0;
  // The reply is complete, or `refusal` says why the whole message was refused. The message may be used again, and may
  // be deleted, from here on.
  virtual void OnMessageDone(const absl::Status& refusal) = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_EXCHANGE_H_
