// All users at once: as rows of one answer, or page by page where the proxy has no such answer.

import { get, pages, ApiError } from './api.js';

const most = 100_000;

/** The users; `each` is called with those that are there already while more are coming. */
export async function allUsers(each) {
  try {
    const { columns, rows } = await get('/api/users/all?compact');
    return rows.map(row => Object.fromEntries(columns.map((column, at) => [column, row[at]])));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return (await pages('/api/users', 'users', most, each)).rows;
  }
}
