#ifndef RONDO_SERVER_STORE_SESSION_RECORD_H_
#define RONDO_SERVER_STORE_SESSION_RECORD_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// The model that a state was computed by, as far as a state depends on it.
struct RecordedModel {
  std::string name;
  int64_t version = 0;
  uint64_t fingerprint = 0;  // Model::fingerprint: of spec and weights, the same on every machine
  std::string cell;          // CellName
  int64_t num_layers = 0;
  int64_t hidden_size = 0;
  int64_t input_size = 0;
  int64_t output_size = 0;
  // 0: a plain stack, told by cell, num_layers and hidden_size, which a graph leaves empty. Else
  // Model::graph_fingerprint.
  uint64_t graph = 0;
};

// How far a session has come, and its last request, as in CommittedSequence.
struct SessionProgress {
  int64_t position = 0;              // timesteps consumed
  int64_t last_timesteps = 0;        // of the last request; 0 at position 0 only
  uint64_t last_fingerprint = 0;     // of the last request
  std::optional<int64_t> last_time;  // unix seconds of the newest timestep
};

// What a session's value has besides its id and its floats.
struct SessionFields : SessionProgress {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  // No session gets there; so far from the end of int64_t that no sum of a position and a request's timesteps
  // overflows.
  static constexpr int64_t kMaxPosition = int64_t{1} << 62;

  RecordedModel model;
  int64_t idle_timeout_ns = kNever;  // > 0
  int64_t last_used_ns = 0;          // nanoseconds since the Unix epoch
  int64_t ends_at_ns = kNever;       // likewise: the session ends then at the latest, used or not
};

// One session as a value: all that goes on when it moves to another process.
struct SessionRecord : SessionFields {
  std::string id;
  std::vector<float> last_reply;  // what a replay of the last request answers; empty at position 0 only
  std::vector<float> state;       // [state_size], see ModelSpec
};

// One session as a value, shown where it lies: what is saved with each step is copied once, into the record's bytes.
struct SessionView : SessionFields {
  absl::string_view id;
  absl::Span<const float> last_reply;
  absl::Span<const float> state;
};

// What is left of a session that ended, for as long as it is remembered.
struct EndedRecord {
  std::string id;
  std::string reason;  // in words that complete "session 'x' ended: "
};

using StoredRecord = std::variant<SessionRecord, EndedRecord>;

// These give a record as bytes; README.md here has the format, byte by byte. The bytes do not depend on the machine,
// and end with a CRC-32 of all before it, so that each truncation and each flipped bit is found.
std::string Encode(const SessionView& session);
std::string Encode(const SessionRecord& record);
std::string Encode(const EndedRecord& record);

// DATA_LOSS: the bytes are not a record, a part of one, or a damaged one; the message says what came and what was
// wanted. FAILED_PRECONDITION: the format is of a newer Rondo. The bytes are hostile until checked: nothing is
// allocated that they only announce. In a record that is returned sizes fit each other and every number of the state
// and the reply is finite; whether there is such a model is the caller's to ask.
absl::StatusOr<StoredRecord> DecodeRecord(absl::string_view bytes);

// What a record is, by its beginning.
struct RecordHead {
  bool ended = false;
  std::string model;  // its name; of a session that has not ended
};
// `beginning`: the first 512 bytes or more, or all of a shorter record. Fails as DecodeRecord, but the checksum and all
// behind the head are not looked at.
absl::StatusOr<RecordHead> DecodeHead(absl::string_view beginning);

// Fails as DecodeRecord, and with DATA_LOSS for an ended session's record.
absl::StatusOr<SessionRecord> DecodeSession(absl::string_view bytes);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_SESSION_RECORD_H_
