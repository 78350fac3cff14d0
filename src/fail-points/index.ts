export { effect } from './reach.js';
