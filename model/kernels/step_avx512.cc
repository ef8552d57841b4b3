
#if defined(__x86_64__)

#define RONDO_LANES_FUNCTION __attribute__((target("avx512f,fma")))
#define RONDO_LANES inline __attribute__((always_inline, target("avx512f,fma")))

#include "model/kernels/cells.h"
#include "model/kernels/lanes_avx512.h"
#include "model/kernels/products.h"
#include "model/kernels/step_functions.h"
#include "model/kernels/timesteps.h"
#include "model/kernels/training.h"

namespace rondo {

const StepFunctions kAvx512Functions = {RunStep<LanesAvx512>, RunTimesteps<LanesAvx512>, RunDense<LanesAvx512, 4, 4>,
                                        RunProduct<LanesAvx512>, RunActivate<LanesAvx512>};

const TrainingFunctions kAvx512Training = MakeTrainingFunctions<LanesAvx512>();

}  // namespace rondo

#endif
