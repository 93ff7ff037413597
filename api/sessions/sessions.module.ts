import { Module } from '@nestjs/common';
import { SessionsController } from './sessions.controller.js';
import { SignInLinksController } from './sign-in-links.controller.js';
import { SessionsService } from './sessions.service.js';

@Module({
  controllers: [SessionsController, SignInLinksController],
  providers: [SessionsService],
  exports: [SessionsService],
})
export class SessionsModule {}
