#include "client/load/call.h"

#include <utility>

namespace rondo::load {
namespace {

using google::protobuf::MessageLite;

class StreamCall final : public Call {
 public:
  explicit StreamCall(const CallPlan& plan)
      : Call(plan.lane), reply_(plan.reply), stream_(plan.stub->PrepareCall(&context_, plan.method, plan.queue)) {
    stream_->StartCall(&opened_);
  }

  bool CanWrite() const override { return state_ == State::kOpen && !writing_; }
  bool writing() const override { return state_ == State::kOpen && writing_; }

  void Write(const MessageLite& request) override {
    writing_ = true;
    stream_->Write(request, &written_);
  }

  // A failed open, write or half close needs nothing done: the read that is always pending fails too.
  Event OnEvent(Op op, bool ok) override {
    switch (op) {
      case Op::kOpened:
        if (state_ == State::kOpening) state_ = State::kOpen;
        Resume();
        return Event::kNone;
      case Op::kWritten:
        writing_ = !ok;
        return Event::kNone;
      case Op::kHalfClosed:
        return Event::kNone;
      case Op::kRead:
        if (ok) return Event::kReply;
        state_ = State::kEnding;
        stream_->Finish(&status_, &finished_);
        return Event::kNone;
      case Op::kFinished:
        state_ = State::kEnded;
        return Event::kEnded;
    }
    return Event::kNone;
  }

  void Resume() override { stream_->Read(reply_, &read_); }

  void Close() override {
    if (CanWrite()) {
      state_ = State::kEnding;
      stream_->WritesDone(&half_closed_);
    } else if (state_ != State::kEnded) {
      Cancel();
    }
  }

  void Cancel() override { context_.TryCancel(); }
  bool ended() const override { return state_ == State::kEnded; }

 private:
  enum class State { kOpening, kOpen, kEnding, kEnded };

  MessageLite* const reply_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<MessageLite, MessageLite>> stream_;
  State state_ = State::kOpening;
  bool writing_ = false;
  Tag opened_{this, Op::kOpened};
  Tag written_{this, Op::kWritten};
  Tag read_{this, Op::kRead};
  Tag half_closed_{this, Op::kHalfClosed};
  Tag finished_{this, Op::kFinished};
};

class UnaryCall final : public Call {
 public:
  explicit UnaryCall(const CallPlan& plan) : Call(plan.lane), plan_(plan) {}

  bool CanWrite() const override { return context_ == nullptr && !closed_; }
  bool writing() const override { return false; }

  void Write(const MessageLite& request) override {
    context_ = std::make_unique<grpc::ClientContext>();
    reader_ = plan_.stub->PrepareUnaryCall(context_.get(), plan_.method, request, plan_.queue);
    reader_->StartCall();
    reader_->Finish(plan_.reply, &status_, &finished_);
  }

  Event OnEvent(Op, bool) override {
    reader_.reset();
    context_.reset();
    return status_.ok() ? Event::kReply : Event::kFailed;
  }

  void Resume() override {}
  void Close() override { closed_ = true; }
  void Cancel() override {
    closed_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  bool ended() const override { return closed_ && context_ == nullptr; }

 private:
  const CallPlan plan_;
  std::unique_ptr<grpc::ClientContext> context_;  // of the message in flight, null if none is
  std::unique_ptr<grpc::ClientAsyncResponseReader<MessageLite>> reader_;
  bool closed_ = false;
  Tag finished_{this, Op::kFinished};
};

}  // namespace

std::unique_ptr<Call> OpenStream(const CallPlan& plan) { return std::make_unique<StreamCall>(plan); }

std::unique_ptr<Call> MakeUnaryCall(const CallPlan& plan) { return std::make_unique<UnaryCall>(plan); }

}  // namespace rondo::load
