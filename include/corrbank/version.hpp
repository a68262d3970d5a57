// The version of these headers, by semantic versioning (CHANGELOG.md). The build reads it from here.
#pragma once

#define CORRBANK_VERSION_MAJOR 0
#define CORRBANK_VERSION_MINOR 5
#define CORRBANK_VERSION_PATCH 0
