#ifndef RONDO_CLIENT_CLIENT_H_
#define RONDO_CLIENT_CLIENT_H_

#include <cstddef>
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

namespace rondo {

class ClientConnection;
class PredictStream;
class Session;

struct ClientOptions {
  // Of each call, its retries included. > 0; infinite: none. A stream has none: see PredictOptions::timeout.
  absl::Duration deadline = absl::Seconds(10);
  // Tries of one call, 1..16; 1: no retries. What is tried again: a call that the server refused and asked to repeat
  // (grpc-retry-pushback-ms), and one that failed with UNAVAILABLE and can be repeated without a second effect.
  int max_attempts = 4;
  // Wait before the second try; doubles with each further one, less up to half at random. > 0.
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(2);
  // Of one reply.
  size_t max_reply_bytes = size_t{64} << 20;
};

// A connection to one Rondo server; cheap to copy, copies share it. The channel is not encrypted: for loopback, a
// private network or a proxy on this host.
//
// Threads: every method may be called from any thread.
// Errors:  absl::Status with the server's code and text. A code that the server itself gave means: nothing has changed.
class Client {
 public:
  // HOST:PORT, or any gRPC target. Does not wait: the first call connects. INVALID_ARGUMENT: address or an option.
  static absl::StatusOr<Client> Connect(absl::string_view address, const ClientOptions& options = {});

  absl::StatusOr<std::vector<ModelDescription>> ListModels() const;
  // `version` 0: the newest.
  absl::StatusOr<ModelDescription> GetModel(absl::string_view model, int64_t version = 0) const;

  // One stateless sequence: [timesteps][input_size] in, [timesteps][output_size] out.
  absl::StatusOr<std::vector<float>> Predict(absl::string_view model, absl::Span<const float> values,
                                             absl::Span<const int64_t> times = {},
                                             const PredictOptions& options = {}) const;
  // Any number of sequences in one message, each with its own status; with exactly one, its failure is the call's.
  absl::StatusOr<std::vector<SequenceOutput>> PredictMany(absl::string_view model,
                                                          absl::Span<const SequenceInput> sequences,
                                                          const PredictOptions& options = {}) const;
  PredictStream OpenPredictStream(absl::string_view model, const PredictOptions& options = {}) const;
  absl::StatusOr<ForecastOutput> Forecast(absl::string_view model, const ForecastInput& input) const;

  // The session `id` where it stands; an unknown id starts at position 0 with its first step. Empty id: a new session
  // with an id of the server's. `version` 0: the session's own, else the newest. FAILED_PRECONDITION: the session
  // belongs to another model or version.
  absl::StatusOr<Session> OpenSession(absl::string_view model, absl::string_view id = "", int64_t version = 0) const;

  absl::StatusOr<SessionDescription> CreateSession(const CreateSessionInput& input) const;
  absl::StatusOr<SessionDescription> GetSession(absl::string_view id) const;
  // One page, in no particular order. `model` empty: all. `page_size` 0: the server's default; at most 1000.
  absl::StatusOr<SessionPage> ListSessions(absl::string_view model = "", absl::string_view page_token = "",
                                           int page_size = 0) const;
  absl::Status DeleteSession(absl::string_view id) const;

  // The session as bytes that ImportSession takes, of this server or another with the same model; it stays live.
  absl::StatusOr<ExportedSession> ExportSession(absl::string_view id) const;
  // A new session that goes on where the exported one stood, under its own id or `id`. DATA_LOSS: the bytes are not
  // what ExportSession gave. FAILED_PRECONDITION: the model has other weights here. NOT_FOUND, ALREADY_EXISTS.
  absl::StatusOr<SessionDescription> ImportSession(absl::string_view state, absl::string_view id = "") const;
  // A copy of the live session `id` that goes on independently; `new_id` empty: an id of the server's.
  absl::StatusOr<SessionDescription> ForkSession(absl::string_view id, absl::string_view new_id = "") const;

 private:
  explicit Client(std::shared_ptr<ClientConnection> connection);

  std::shared_ptr<ClientConnection> connection_;
};

// One live series. It sends the position of every timestep, so none is ever run twice or left out.
//
// Threads: one at a time; move it freely. It may outlive its Client.
// Errors:  on UNAVAILABLE or DEADLINE_EXCEEDED the step may or may not have run: call again with the same values, and
//          the server runs it or repeats its reply. To give the step up instead, call Sync first.
class Session {
 public:
  // One timestep: [input_size] in, [output_size] out. `time` in unix seconds, for models that need it.
  absl::StatusOr<std::vector<float>> Step(absl::Span<const float> input, std::optional<int64_t> time = std::nullopt);

  // Several timesteps in one message: [timesteps][input_size] in, [timesteps][output_size] out.
  absl::StatusOr<std::vector<float>> Run(absl::Span<const float> inputs, absl::Span<const int64_t> times = {});

  // The next `horizon` outputs, [horizon][output_size]; the session does not move. `known` as in ForecastInput.
  absl::StatusOr<std::vector<float>> Forecast(int horizon, absl::Span<const float> known_inputs = {},
                                              absl::Span<const int64_t> known_times = {});
  // The same with every choice; its session and version are this one's.
  absl::StatusOr<std::vector<float>> Forecast(ForecastInput input);

  // A copy that goes on independently from here, e.g. to try what would follow. Empty id: an id of the server's.
  absl::StatusOr<Session> Fork(absl::string_view id = "") const;

  // Takes over the server's position. NOT_FOUND: the session has ended, and why.
  absl::Status Sync();

  // Ends the session on the server.
  absl::Status Delete();

  const std::string& id() const { return id_; }
  // Of the model; 0: the newest one when the first step comes.
  int64_t version() const { return version_; }
  // Timesteps consumed, as far as this object knows: the index of the next one.
  int64_t position() const { return position_; }

 private:
  friend class Client;
  Session(Client client, std::string model, int64_t version, std::string id, int64_t position);

  Client client_;
  std::string model_;
  int64_t version_;
  std::string id_;
  int64_t position_;
};

// A stream of messages, each with steps for any number of sessions; replies come in the order of the writes.
//
// Threads: one may write while another reads. The server reads ahead a bounded number of messages, so a writer
//          that never reads is blocked in the end.
// Retries: none; give positions, and what was not answered can be sent again on a new stream.
class PredictStream {
 public:
  PredictStream(PredictStream&&) noexcept;
  PredictStream& operator=(PredictStream&&) noexcept;
  ~PredictStream();  // cancels a stream that was not finished

  // False: the stream is broken; Finish says why.
  bool Write(absl::Span<const SequenceInput> sequences);
  // Blocks. False: no more replies will come; Finish says why. A refused message is a reply.
  bool Read(StreamReply* reply);
  // No more writes; the replies to those before still come.
  void WritesDone();
  // Drops unread replies and ends the stream. OK: the server answered everything it was sent. Once, after all else.
  absl::Status Finish();

 private:
  friend class Client;
  class Impl;
  explicit PredictStream(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLIENT_H_
