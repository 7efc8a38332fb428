import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { files, load, read } from './dashboard.mjs';

const scripts = files('.js'),
  all = [...scripts, ...files('.css'), ...files('.html'), ...files('.json'), ...files('.svg')];

const found = (names, pattern) => names.filter(name => pattern.test(read(name)));

test('The files are found', () => assert.ok(scripts.length > 20 && all.includes('index.html') && all.includes('app.css')));

test('Nothing turns a text into markup or code', () =>
  assert.deepEqual(
    found(
      scripts,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|createContextualFragment|srcdoc/,
    ),
    [],
  ));

test('Nothing is written into the page that its policy forbids', () => {
  assert.deepEqual(found(files('.html'), /\son\w+=|\sstyle=|<style|javascript:|<script(?![^>]*\ssrc=)/i), []);
  assert.deepEqual(found(scripts, /\bsetAttribute\('style'|\bh\([^)]*\bstyle:|cssText/), []);
});

test('Nothing comes from elsewhere', () => {
  const addresses = all.flatMap(name =>
    (read(name).match(/(?:https?:)?\/\/[\w-]+\.[\w.-]+/g) ?? []).filter(it => it !== 'http://www.w3.org'),
  );
  assert.deepEqual(addresses, []);
  assert.deepEqual(found(files('.css'), /@import|url\(/), []);
});

test('Sides are logical, so that right-to-left needs no rules of its own', () =>
  assert.deepEqual(
    read('app.css').match(
      /(?:margin|padding|border|inset)-(?:left|right)|(?:^|[\s;{])(?:left|right):|text-align: (?:left|right)|float:/gm,
    ),
    null,
  ));

test('Imports lead to files that are there', () => {
  const missing = scripts.flatMap(name =>
    [...read(name).matchAll(/(?:from |import\()'(\.[^']+)'/g)]
      .map(match => new URL(match[1], `file:///${name}`).pathname.slice(1))
      .filter(path => !scripts.includes(path)),
  );
  assert.deepEqual(missing, []);
});

test('No line is longer than 140 columns', () => {
  const long = [...scripts, ...files('.css')].flatMap(name =>
    read(name)
      .split('\n')
      .map((line, at) => `${name}:${at + 1} ${line.length}`)
      .filter(line => Number(line.split(' ')[1]) > 140),
  );
  assert.deepEqual(long, []);
});

// More than a first load: every page, and the longest of the languages.
test('All of it together is smaller than 100 KB when it is compressed', () => {
  const size = names => names.reduce((sum, name) => sum + gzipSync(read(name)).length, 0);
  const words = Math.max(...files('.json').map(name => size([name])));
  const sum = size([...scripts, 'index.html', 'app.css', 'icon.svg']) + words;
  assert.ok(sum < 100_000, `${sum} bytes`);
});

test('A name that would lead elsewhere is no part of an address', async () => {
  const { userPath } = await load('api.js');
  assert.equal(userPath('a/../b?c#d', 'rotate'), '/api/users/a%2F..%2Fb%3Fc%23d/rotate');
  assert.equal(userPath('...'), '/api/users/...');
  for (const name of ['.', '..']) assert.throws(() => userPath(name));
});

test('An address of a page comes back as it was made', async () => {
  const { link, route } = await load('router.js');
  for (const name of ['alice', 'a/b', '%41', '50%', 'имя', '..', '?x', '#']) {
    const { page, rest } = route(link('user', name, 'main'));
    assert.deepEqual([page, ...rest], ['user', name, 'main']);
  }
  assert.deepEqual(route('#/user/%E0%A4%A').rest, ['%E0%A4%A']);
  assert.equal(route('').page, 'overview');
});

test('Networks are those that limits count', async () => {
  const { networkOf } = await load('networks.js');
  for (const [address, network] of [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:5000', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['[2001:0DB8:1:2:3::6]:443', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['[fe80::1%eth0]:1', 'fe80::/64'],
    ['::1', '::/64'],
    ['[2001:db8:0:7::]:1', '2001:db8:0:7::/64'],
  ])
    assert.equal(networkOf(address), network, address);
});

test('One after the other does all, says what failed and stops when told', async () => {
  const { inTurn } = await load('inturn.js');
  const done = [];
  const failed = await inTurn(
    [...Array(50).keys()],
    async one => {
      if (one === 7) throw new Error('no');
      done.push(one);
    },
    () => {},
    () => false,
  );
  assert.equal(done.length, 49);
  assert.deepEqual(
    failed.map(it => it.item),
    [7],
  );
  let count = 0;
  await inTurn(
    [...Array(50).keys()],
    async () => {
      count++;
    },
    () => {},
    () => count >= 8,
  );
  assert.ok(count < 50);
});
