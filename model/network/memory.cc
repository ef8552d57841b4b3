#include "model/network/memory.h"

#include <algorithm>

#include "base/finite.h"

namespace rondo {
namespace {

// The buffer of the next state is that of another element's answers, which lie there until the batch is done.
class MemoryKernel : public ElementKernel {
 public:
  explicit MemoryKernel(size_t units) : units_(units) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    return std::make_unique<Bound>(units_, buffers);
  }

 private:
  class Bound : public BoundElement {
   public:
    Bound(size_t units, const ElementBuffers& buffers) : units_(units), buffers_(buffers) {}

    bool Run(absl::Span<const StepRow> rows, size_t) override {
      float* output = buffers_.output;
      for (const StepRow& row : rows) output = std::copy_n(row.state_in + buffers_.state_offset, units_, output);
      return true;
    }

    void CheckStates(absl::Span<StepRow> rows) const override {
      for (size_t i = 0; i < rows.size(); ++i) rows[i].finite = rows[i].finite && AllFinite({Next(i), units_});
    }

    void Commit(absl::Span<const StepRow> rows) const override {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].finite) std::copy_n(Next(i), units_, rows[i].state_out + buffers_.state_offset);
      }
    }

   private:
    const float* Next(size_t row) const { return buffers_.inputs[0] + row * units_; }

    const size_t units_;
    const ElementBuffers buffers_;
  };

  const size_t units_;
};

class Memory : public Element {
 public:
  explicit Memory(AttributeReader& reader) {
    reader.TakeInputs(0);
    output_.channels = reader.Whole("units", {});
    state_size_ = output_.channels;
    next_ = reader.Name("next");
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    return std::make_unique<MemoryKernel>(static_cast<size_t>(state_size_));
  }

  // Whoever runs the graph puts the other element's answer into the state when the timestep is done.
  Doubles Reference(absl::Span<const Doubles>, SlotValues, Doubles* state) const override { return *state; }
};

}  // namespace

std::unique_ptr<Element> ReadMemory(AttributeReader& reader) { return std::make_unique<Memory>(reader); }

}  // namespace rondo
