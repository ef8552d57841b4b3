#ifndef RONDO_CLIENT_PREDICT_STREAM_H_
#define RONDO_CLIENT_PREDICT_STREAM_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/messages.h"

namespace rondo {

// A stream of messages, each with steps for any number of sessions; replies come in the order of the writes.
//
// It outlives its server: when the server drains, or the connection breaks (see ClientOptions::keepalive), or the model
// is not there yet after that (a message is refused with UNAVAILABLE), Read opens another stream and sends again what
// was not answered, for as long as ClientOptions::timeout. If one of those messages could run twice (a sequence of a
// session without position, or with end_session) the stream ends, or the refusal is the reply. A session that
// lost answered steps in a crash (a server with --durability=interval) answers FAILED_PRECONDITION and where it stands,
// as do all but the last of several messages for one session that a crash left unanswered.
//
// Threads: one may write while another reads. The server reads ahead a bounded number of messages, so a writer
//          that never reads is blocked in the end.
class PredictStream {
 public:
  // The most messages that wait for the stream to be connected again; beyond them a writer waits.
  static constexpr size_t kMaxUnsentMessages = 1024;

  PredictStream(PredictStream&&) noexcept;
  PredictStream& operator=(PredictStream&&) noexcept;
  ~PredictStream();  // cancels a stream that was not finished

  // False: the stream is broken; Finish says why.
  bool Write(absl::Span<const SequenceInput> sequences);
  // Blocks. False: no more replies will come; Finish says why. A refused message is a reply.
  bool Read(StreamReply* reply);
  // Reads as Read does, but waits no longer than `timeout`. DEADLINE_EXCEEDED: no reply came in that time; the stream
  // goes on, and the next read gets the reply. Waiting takes a thread of its own.
  absl::StatusOr<bool> Read(StreamReply* reply, absl::Duration timeout);
  // Says that no more writes come; the replies to those before still do.
  void DoneWriting();
  // Drops unread replies and ends the stream. OK: the server answered everything it was sent. Once, after all else.
  absl::Status Finish();

 private:
  friend class Client;
  class Impl;
  explicit PredictStream(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_PREDICT_STREAM_H_
