// Networks as limits count them: an IPv4 address, or the 64 leading bits of an IPv6 address.

/** The network of an address, which may have a port behind it. */
export function networkOf(address) {
  const bracketed = /^\[(.*)\]/.exec(address);
  const [head, tail] = (bracketed ? bracketed[1] : address).split('%')[0].toLowerCase().split('::');
  if (!bracketed && tail === undefined && address.split(':').length <= 2) return address.split(':')[0];
  const front = head ? head.split(':') : [],
    back = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const leading = [...front, ...Array(zeros).fill('0'), ...back].slice(0, 4).map(group => group.replace(/^0+(?=.)/, ''));
  while (leading.length > 0 && leading.at(-1) === '0') leading.pop();
  return `${leading.join(':')}::/64`;
}
