
#if defined(__x86_64__)

#define RONDO_LANES_FUNCTION __attribute__((target("avx2,fma")))
#define RONDO_LANES inline __attribute__((always_inline, target("avx2,fma")))

#include "model/kernels/cells.h"
#include "model/kernels/lanes_avx2.h"
#include "model/kernels/products.h"
#include "model/kernels/step_functions.h"
#include "model/kernels/timesteps.h"
#include "model/kernels/training.h"

namespace rondo {

const StepFunctions kAvx2Functions = {RunStep<LanesAvx2>, RunTimesteps<LanesAvx2>, RunDense<LanesAvx2, 2, 2>,
                                      RunProduct<LanesAvx2>, RunActivate<LanesAvx2>};

const TrainingFunctions kAvx2Training = MakeTrainingFunctions<LanesAvx2>();

}  // namespace rondo

#endif
