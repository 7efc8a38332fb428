// Where the dashboard's files are, for the tests beside this. Run by: node --test tests/Portico.Admin.Tests/Dashboard/*.test.mjs

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, relative } from 'node:path';

export const folder = fileURLToPath(new URL('../../../src/Portico.Admin/Dashboard/Pages/', import.meta.url));

export const read = name => readFileSync(join(folder, name), 'utf8');

/** Names of the files that end so. */
export const files = ending =>
  readdirSync(folder, { recursive: true })
    .map(name => relative('.', name))
    .filter(name => name.endsWith(ending))
    .sort();

/** A module of the pages that needs no page. */
export const load = name => import(new URL(`../../../src/Portico.Admin/Dashboard/Pages/js/${name}`, import.meta.url));
