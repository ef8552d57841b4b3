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
#include "client/predict_stream.h"
#include "client/session.h"

namespace rondo {

class ClientConnection;

struct ClientOptions {
  // Each call ends within this time, its retries included. > 0; infinite: no limit. A stream has no such limit (see
  // PredictOptions::timeout), but this bounds the time that it tries to reach a server again.
  absl::Duration timeout = absl::Seconds(10);
  // Tries of one call, 1..16; 1: no retries. A call is tried again if the server refused it and asked to repeat it
  // (grpc-retry-pushback-ms), or if it failed with UNAVAILABLE or ABORTED and can be repeated without a second effect.
  // A live Session, and a stream that was answered before, wait for a server that restarts: only the timeout ends their
  // tries, unless this is 1.
  int max_attempts = 4;
  // Wait before the second try; doubles with each further one, less up to half at random. > 0.
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(2);
  // The most bytes of one reply.
  size_t max_reply_bytes = size_t{64} << 20;
  // Each Session keeps so many bytes of the timesteps that a server with a session store has not saved yet; 0: nothing.
  // A server that lost more than that answers FAILED_PRECONDITION.
  size_t max_unsaved_bytes = size_t{1} << 20;
};

// A connection to a Rondo server, or to one of several that share a session store; cheap to copy, copies share it. The
// channel is not encrypted: for loopback, a private network or a proxy on this host.
//
// Threads: every method may be called from any thread.
// Errors:  absl::Status with the server's code and text. A code that the server itself gave means: nothing has changed.
class Client {
 public:
  // HOST:PORT, where a DNS name may have several addresses; IP:PORT,IP:PORT,...; or any gRPC target. Of several it uses
  // the first that answers until that one goes. Does not wait: the first call connects. INVALID_ARGUMENT: address or an
  // option.
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
  PredictStream OpenStream(absl::string_view model, const PredictOptions& options = {}) const;
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
  friend class Session;
  explicit Client(std::shared_ptr<ClientConnection> connection);

  std::shared_ptr<ClientConnection> connection_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLIENT_H_
