#ifndef RONDO_SERVER_RPC_CALL_MESSAGE_RING_H_
#define RONDO_SERVER_RPC_CALL_MESSAGE_RING_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace rondo {

// The messages of one stream, in a ring: they are read ahead into its free places, one at a time, and answered in the
// order in which they came. Policy only, without a lock, a thread or gRPC.
//
// `Message` has Cancel(), which may call back into the ring to free messages, and Clear(), which readies it for use
// again.
template <typename Message>
class MessageRing {
 public:
  // `places`: the messages that may be read and not answered, at least one.
  explicit MessageRing(size_t places) : places_(places) {}

  // True while no read is under way and a place is free.
  bool CanRead() const { return !reading_ && read_count_ - freed_count_ < places_.size(); }

  // Begins a read, and returns the message to read into. `make`, which returns a std::unique_ptr<Message>, is called
  // for a place that never had a message. REQUIRES: CanRead().
  template <typename Make>
  Message* BeginRead(const Make& make) {
    reading_ = true;
    std::unique_ptr<Message>& place = Place(read_count_);
    if (place == nullptr) place = make();
    return place.get();
  }
  // The read has brought its message, which is the newest from now on.
  Message* EndRead() {
    reading_ = false;
    return Place(read_count_++).get();
  }
  // The read has brought nothing, or a message that nobody wants.
  void DropRead() { reading_ = false; }

  // True while every message that was read has been freed.
  bool empty() const { return freed_count_ == read_count_; }
  // REQUIRES: !empty().
  Message* oldest() { return Place(freed_count_).get(); }

  // The oldest message is dealt with. It is the next that is read into: it is in the cache, and a stream makes no more
  // messages than it has at once. With 128 streams this took 12 % of the CPU time of a message away.
  // REQUIRES: !empty().
  void FreeOldest() {
    oldest()->Clear();
    const size_t next_read = read_count_ + (reading_ ? 1 : 0);
    std::swap(Place(freed_count_), Place(next_read));
    ++freed_count_;
  }

  // Cancels every message, the newest first: one that ends at once may free messages, and those are the oldest.
  void CancelAll() {
    for (size_t end = read_count_; end > freed_count_; --end) Place(end - 1)->Cancel();
  }

 private:
  std::unique_ptr<Message>& Place(size_t index) { return places_[index % places_.size()]; }

  std::vector<std::unique_ptr<Message>> places_;  // each made when first read into
  size_t read_count_ = 0;
  size_t freed_count_ = 0;  // messages freed_count_ .. read_count_ - 1 run, or wait for their turn to be written
  bool reading_ = false;    // into place read_count_
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_MESSAGE_RING_H_
