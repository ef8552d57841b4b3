#ifndef RONDO_CLIENT_SESSION_H_
#define RONDO_CLIENT_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/messages.h"
#include "client/unsaved_steps.h"

namespace rondo {

class ClientConnection;

// One live series. It sends the position of every timestep, so none is ever run twice or left out.
//
// It outlives its server: calls are tried again until their deadline while no server answers, or the session moves from
// one to another. If a server comes back with an older state from its session store, the timesteps since then are sent
// again, silently: this object keeps those that are not saved yet, up to ClientOptions::max_unsaved_bytes.
//
// Threads: one at a time; move it freely. It may outlive its Client.
// Errors:  on UNAVAILABLE or DEADLINE_EXCEEDED the step may or may not have run: call again with the same values, and
//          the server runs it or repeats its reply. To give the step up instead, call Sync first. FAILED_PRECONDITION:
//          somebody else moved the session, or the server lost more of it than is kept here.
class Session {
 public:
  // One timestep: [input_size] in, [output_size] out. `time` in unix seconds, for models that need it.
  absl::StatusOr<std::vector<float>> Step(absl::Span<const float> input, std::optional<int64_t> time = std::nullopt);

  // Several timesteps in one message: [timesteps][input_size] in, [timesteps][output_size] out.
  absl::StatusOr<std::vector<float>> Run(absl::Span<const float> inputs, absl::Span<const int64_t> times = {});

  // The next `horizon` outputs, [horizon][output_size]; the session does not move. `known_inputs` and `known_times` are
  // those of ForecastInput.
  absl::StatusOr<std::vector<float>> Forecast(int horizon, absl::Span<const float> known_inputs = {},
                                              absl::Span<const int64_t> known_times = {});
  // Forecasts with every choice that ForecastInput gives, but for its session and version: they are this session's own.
  absl::StatusOr<std::vector<float>> Forecast(ForecastInput input);

  // A copy that goes on independently from here, e.g. to try what would follow. Empty id: an id of the server's.
  absl::StatusOr<Session> Fork(absl::string_view id = "") const;

  // Returns the session as bytes that Client::ImportSession takes; it stays live.
  absl::StatusOr<ExportedSession> Export() const;

  // Takes over the server's position. NOT_FOUND: the session has ended, and why.
  absl::Status Sync();

  // Ends the session on the server.
  absl::Status End();

  const std::string& id() const { return id_; }
  // The model's version when this object was made; 0: the version that is the newest when the first step comes. A
  // server with --adopt_sessions may go on with a newer one, unless OpenSession was given a version.
  int64_t version() const { return version_; }
  // Timesteps consumed, as far as this object knows: the index of the next one.
  int64_t position() const { return position_; }

 private:
  friend class Client;
  // `wanted_version`: what the caller asked for, 0: any. `version`: of the session as the server has it, 0: none yet.
  Session(std::shared_ptr<ClientConnection> connection, std::string model, int64_t wanted_version, int64_t version,
          std::string id, int64_t position);

  // See Client::StepMany.
  static absl::StatusOr<std::vector<SequenceOutput>> StepMany(ClientConnection* connection,
                                                              absl::Span<Session* const> sessions,
                                                              absl::Span<const float> inputs,
                                                              absl::Span<const int64_t> times);
  static absl::Status CheckStepMany(absl::Span<Session* const> sessions, absl::Span<const float> inputs,
                                    absl::Span<const int64_t> times);
  // The output of this session among many, moved with it; runs `sequence` alone if that may mend what `output` says.
  SequenceOutput Settle(const SequenceInput& sequence, SequenceOutput output);

  SequenceInput NextSequence(absl::Span<const float> inputs, absl::Span<const int64_t> times) const;
  absl::StatusOr<SequenceOutput> Send(const SequenceInput& sequence, bool last_only, absl::Time deadline);
  // The server stands at `expected`, or said so in `refusal`: runs the timesteps from there to position() again. An
  // error if it cannot: `refusal`, or what went wrong.
  absl::Status CatchUp(const absl::Status& refusal, absl::Time deadline);
  absl::Status CatchUpFrom(int64_t expected, absl::Time deadline);
  bool CanCatchUpFrom(std::optional<int64_t> expected) const;
  void Took(const SequenceInput& sequence, const SequenceOutput& output);

  std::shared_ptr<ClientConnection> connection_;
  std::string model_;
  int64_t wanted_version_;
  int64_t version_;
  std::string id_;
  int64_t position_;
  bool must_exist_ = false;  // nothing may begin in its place
  UnsavedSteps unsaved_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_SESSION_H_
