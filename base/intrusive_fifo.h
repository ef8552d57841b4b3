#ifndef RONDO_BASE_INTRUSIVE_FIFO_H_
#define RONDO_BASE_INTRUSIVE_FIFO_H_

#include <cstddef>
#include <utility>

namespace rondo {

template <typename T>
class IntrusiveFifo;

// Gives an element its place in a queue: `class T : public FifoLink<T>`. An element is in at most one queue at a time.
template <typename T>
class FifoLink {
 private:
  friend class IntrusiveFifo<T>;
  T* next_ = nullptr;
};

// A first-in first-out queue that links its elements through themselves, so that it allocates nothing.
//
// Ownership: borrows the elements until they are popped or removed; an element that was popped may be freed or pushed
//            again at once.
// Threads:   one at a time.
template <typename T>
class IntrusiveFifo {
 public:
  IntrusiveFifo() = default;
  IntrusiveFifo(IntrusiveFifo&& other) noexcept { *this = std::move(other); }
  IntrusiveFifo& operator=(IntrusiveFifo&& other) noexcept {
    head_ = std::exchange(other.head_, nullptr);
    tail_ = other.tail_;
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  bool empty() const { return head_ == nullptr; }
  size_t size() const { return size_; }
  // The element that Pop would take; null if the queue is empty.
  T* front() const { return head_; }

  // REQUIRES: `element` is in no queue.
  void Push(T* element) {
    LinkOf(element) = nullptr;
    (head_ == nullptr ? head_ : LinkOf(tail_)) = element;
    tail_ = element;
    ++size_;
  }

  // Takes the first element out; null if the queue is empty.
  T* Pop() {
    if (head_ == nullptr) return nullptr;
    --size_;
    return std::exchange(head_, LinkOf(head_));
  }

  // Takes `element` out, wherever it stands. Returns false if it is not in this queue.
  bool Remove(T* element) {
    T* before = nullptr;
    for (T* at = head_; at != nullptr; before = std::exchange(at, LinkOf(at))) {
      if (at != element) continue;
      (before == nullptr ? head_ : LinkOf(before)) = LinkOf(at);
      if (tail_ == at) tail_ = before;
      --size_;
      return true;
    }
    return false;
  }

  // Moves all elements of `other` behind the elements that are here.
  void Append(IntrusiveFifo* other) {
    if (other->empty()) return;
    (head_ == nullptr ? head_ : LinkOf(tail_)) = std::exchange(other->head_, nullptr);
    tail_ = other->tail_;
    size_ += std::exchange(other->size_, 0);
  }

 private:
  static T*& LinkOf(T* element) { return static_cast<FifoLink<T>*>(element)->next_; }

  T* head_ = nullptr;
  T* tail_ = nullptr;  // means nothing while the queue is empty
  size_t size_ = 0;
};

}  // namespace rondo

#endif  // RONDO_BASE_INTRUSIVE_FIFO_H_
