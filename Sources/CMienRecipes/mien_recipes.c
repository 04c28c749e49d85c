#include "mien_recipes.h"

#include <stddef.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const char chen[] = {
#embed "../../recipes/chen.yaml"
    , 0};
static const char javier[] = {
#embed "../../recipes/javier.yaml"
    , 0};
static const char gao[] = {
#embed "../../recipes/gao.yaml"
    , 0};
static const char le_shallow[] = {
#embed "../../recipes/le-shallow.yaml"
    , 0};
static const char le_deep[] = {
#embed "../../recipes/le-deep.yaml"
    , 0};
static const char yousaf[] = {
#embed "../../recipes/yousaf.yaml"
    , 0};
static const char yousaf_trainable[] = {
#embed "../../recipes/yousaf-trainable.yaml"
    , 0};
static const char mien_m[] = {
#embed "../../recipes/mien-m.yaml"
    , 0};
static const char mien_s[] = {
#embed "../../recipes/mien-s.yaml"
    , 0};
static const char mien_s_robust[] = {
#embed "../../recipes/mien-s-robust.yaml"
    , 0};
static const char published_chen[] = {
#embed "../../recipes/published/chen.yaml"
    , 0};
static const char published_javier[] = {
#embed "../../recipes/published/javier.yaml"
    , 0};
static const char published_gao[] = {
#embed "../../recipes/published/gao.yaml"
    , 0};
static const char published_le_shallow[] = {
#embed "../../recipes/published/le-shallow.yaml"
    , 0};
static const char published_le_deep[] = {
#embed "../../recipes/published/le-deep.yaml"
    , 0};
static const char published_yousaf[] = {
#embed "../../recipes/published/yousaf.yaml"
    , 0};
#pragma clang diagnostic pop

static const struct {
  const char *name;
  const char *text;
} recipes[] = {
    {"chen", chen},
    {"javier", javier},
    {"gao", gao},
    {"le-shallow", le_shallow},
    {"le-deep", le_deep},
    {"yousaf", yousaf},
    {"yousaf-trainable", yousaf_trainable},
    {"mien-m", mien_m},
    {"mien-s", mien_s},
    {"mien-s-robust", mien_s_robust},
};

static const int count = sizeof recipes / sizeof recipes[0];

const char *mien_recipe_name(int index) { return index >= 0 && index < count ? recipes[index].name : NULL; }

const char *mien_recipe_text(int index) { return index >= 0 && index < count ? recipes[index].text : NULL; }

static const struct {
  const char *name;
  const char *text;
} published[] = {
    {"chen", published_chen},
    {"javier", published_javier},
    {"gao", published_gao},
    {"le-shallow", published_le_shallow},
    {"le-deep", published_le_deep},
    {"yousaf", published_yousaf},
};

static const int published_count = sizeof published / sizeof published[0];

const char *mien_published_name(int index) {
  return index >= 0 && index < published_count ? published[index].name : NULL;
}

const char *mien_published_text(int index) {
  return index >= 0 && index < published_count ? published[index].text : NULL;
}
