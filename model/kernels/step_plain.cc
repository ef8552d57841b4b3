#define RONDO_LANES_FUNCTION
#define RONDO_LANES inline

#include "model/kernels/cells.h"
#include "model/kernels/lanes_plain.h"
#include "model/kernels/products.h"
#include "model/kernels/step_functions.h"
#include "model/kernels/timesteps.h"
#include "model/kernels/training.h"

namespace rondo {

const StepFunctions kPlainFunctions = {RunStep<LanesPlain>, RunTimesteps<LanesPlain>, RunDense<LanesPlain, 1, 2>,
                                       RunProduct<LanesPlain>, RunActivate<LanesPlain>};

const TrainingFunctions kPlainTraining = MakeTrainingFunctions<LanesPlain>();

}  // namespace rondo
