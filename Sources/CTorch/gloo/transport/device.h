#pragma once
#include "gloo_types.hpp"
