// The recipes of the folder `recipes`, inside the program.

#ifndef MIEN_RECIPES_H
#define MIEN_RECIPES_H

#ifdef __cplusplus
extern "C" {
#endif

/// The name of recipe `index`, its file's without `.yaml`; null past the last. It belongs to the program.
const char *mien_recipe_name(int index);

/// The text of recipe `index`, UTF-8; null past the last. It belongs to the program.
const char *mien_recipe_text(int index);

/// The name of published system `index`, its file's in `recipes/published` without `.yaml`; null past the last. It belongs
/// to the program.
const char *mien_published_name(int index);

/// The text of published system `index`, UTF-8; null past the last. It belongs to the program.
const char *mien_published_text(int index);

#ifdef __cplusplus
}
#endif

#endif
